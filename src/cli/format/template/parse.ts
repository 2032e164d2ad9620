/**
 * Tokens → a tree.
 *
 *     node     = text | output pipeline | if/with pipeline … [else …] end | range [$i,] [$v :=] pipeline … [else …] end | $x := pipeline
 *     pipeline = command { "|" command }          the value of one is the last argument of the next
 *     command  = operand { operand }              a function or method and its arguments, or one value
 *     operand  = "text" | 12 | true | nil | . | $ | $x | ( pipeline ) | function      each with fields: .A.B
 */
import { usageError } from '../../parse/usage.ts';
import { FUNCTIONS } from './functions.ts';
import { type Piece, splitActions, type Token, tokenize } from './lex.ts';

export type Operand = { fields: readonly string[] } & (
  | { kind: 'literal'; value: unknown }
  | { kind: 'cursor' }
  | { kind: 'variable'; name: string }
  | { kind: 'pipeline'; pipeline: Pipeline }
  | { kind: 'function'; name: string }
);
/** What is called or shown, and its arguments. */
export type Command = readonly [Operand, ...Operand[]];
export type Pipeline = readonly Command[];

export type Node =
  | { kind: 'text'; text: string }
  | { kind: 'output'; pipeline: Pipeline }
  | { kind: 'assign'; name: string; pipeline: Pipeline }
  | { kind: 'if' | 'with'; pipeline: Pipeline; then: Node[]; otherwise: Node[] }
  | { kind: 'range'; names: string[]; pipeline: Pipeline; then: Node[]; otherwise: Node[] };

const NOT_SUPPORTED = new Set(['define', 'template', 'block', 'break', 'continue']);
const CONSTANTS: Readonly<Record<string, unknown>> = { true: true, false: false, nil: null };

/** Tokens of one action. */
class ActionReader {
  readonly #tokens: readonly Token[];
  readonly #source: string;
  #at = 0;
  constructor(source: string) {
    this.#source = source;
    this.#tokens = tokenize(source);
  }

  get isAtEnd(): boolean {
    return this.#at === this.#tokens.length;
  }

  /** Takes the next token if it is this word. */
  word(value: string): boolean {
    const token = this.#tokens[this.#at];
    if (token?.kind !== 'word' || token.value !== value) return false;
    this.#at++;
    return true;
  }

  /** The word that the action begins with. */
  get firstWord(): string | undefined {
    const token = this.#tokens[0];
    return token?.kind === 'word' ? token.value : undefined;
  }

  /** `$i, $v :=` or `$v :=`; nothing is taken when there is none. */
  assignedNames(): string[] {
    const names: string[] = [];
    const start = this.#at;
    for (;;) {
      const token = this.#tokens[this.#at];
      if (token?.kind !== 'variable' || token.name === '') break;
      names.push(token.name);
      this.#at++;
      if (this.#punctuation(':=')) return names;
      if (!this.#punctuation(',')) break;
    }
    this.#at = start;
    return [];
  }

  pipeline(): Pipeline {
    const commands: Command[] = [];
    do {
      const first = this.#operand();
      if (first === undefined) throw this.refuse('a value is missing');
      const command: [Operand, ...Operand[]] = [first];
      for (let next = this.#operand(); next; next = this.#operand()) command.push(next);
      commands.push(command);
    } while (this.#punctuation('|'));
    return commands;
  }

  end(): void {
    if (!this.isAtEnd) throw this.refuse('it goes on where it should end');
  }

  refuse(problem: string): Error {
    return usageError(`--format: {{${this.#source}}}: ${problem}`, "--format '{{.Name}}', or --format json");
  }

  #punctuation(value: string): boolean {
    const token = this.#tokens[this.#at];
    if (token?.kind !== 'punctuation' || token.value !== value) return false;
    this.#at++;
    return true;
  }

  #operand(): Operand | undefined {
    const token = this.#tokens[this.#at];
    if (token === undefined) return undefined;
    if (token.kind === 'punctuation') {
      if (!this.#punctuation('(')) return undefined;
      const pipeline = this.pipeline();
      if (!this.#punctuation(')')) throw this.refuse('a parenthesis is not closed');
      return { kind: 'pipeline', pipeline, fields: this.#fields() };
    }
    this.#at++;
    switch (token.kind) {
      case 'string':
      case 'number':
        return { kind: 'literal', value: token.value, fields: [] };
      case 'variable':
        return { kind: 'variable', name: token.name, fields: this.#fields() };
      case 'field':
        return { kind: 'cursor', fields: token.name === '' ? [] : [token.name, ...this.#fields()] };
      case 'word':
        return this.#wordOperand(token.value);
    }
  }

  #wordOperand(name: string): Operand {
    if (Object.hasOwn(CONSTANTS, name)) return { kind: 'literal', value: CONSTANTS[name], fields: [] };
    if (Object.hasOwn(FUNCTIONS, name)) return { kind: 'function', name, fields: [] };
    throw this.refuse(`"${name}" is not supported; there are ${Object.keys(FUNCTIONS).join(', ')}`);
  }

  /** `.A.B` directly behind an operand. */
  #fields(): string[] {
    const fields: string[] = [];
    for (;;) {
      const token = this.#tokens[this.#at];
      if (token?.kind !== 'field' || !token.attached || token.name === '') return fields;
      fields.push(token.name);
      this.#at++;
    }
  }
}

/** Nodes until the end of a block. */
class TemplateParser {
  readonly #pieces: readonly Piece[];
  #at = 0;
  constructor(template: string) {
    this.#pieces = splitActions(template);
  }

  parse(): Node[] {
    const { nodes, ending } = this.#nodes();
    if (ending) throw ending.refuse('there is no block that it could end');
    return nodes;
  }

  /** Nodes up to the `end` or `else` of the block they are in. */
  #nodes(): { nodes: Node[]; ending: ActionReader | undefined } {
    const nodes: Node[] = [];
    for (;;) {
      const piece = this.#pieces[this.#at++];
      if (piece === undefined) return { nodes, ending: undefined };
      if (piece.kind === 'text') nodes.push(piece);
      else {
        const action = new ActionReader(piece.source);
        if (action.firstWord === 'end' || action.firstWord === 'else') return { nodes, ending: action };
        nodes.push(this.#node(action));
      }
    }
  }

  #node(action: ActionReader): Node {
    const word = action.firstWord;
    if (word !== undefined && NOT_SUPPORTED.has(word)) throw action.refuse(`"${word}" is not supported`);
    if (action.word('if')) return this.#block('if', action, []);
    if (action.word('with')) return this.#block('with', action, []);
    if (action.word('range')) return this.#block('range', action, action.assignedNames());
    const [name] = action.assignedNames();
    const pipeline = action.pipeline();
    action.end();
    return name === undefined ? { kind: 'output', pipeline } : { kind: 'assign', name, pipeline };
  }

  #block(kind: 'if' | 'with' | 'range', action: ActionReader, names: string[]): Node {
    const pipeline = action.pipeline();
    action.end();
    const { nodes: then, ending } = this.#nodes();
    const otherwise = ending?.word('else') ? this.#otherwise(ending) : [];
    if (ending === undefined) throw action.refuse('{{end}} is missing');
    return kind === 'range'
      ? { kind, names, pipeline, then, otherwise }
      : { kind, pipeline, then, otherwise };
  }

  /** `{{else}} … {{end}}`; `{{else if …}} … {{end}}` is a block of its own that shares the `end`. */
  #otherwise(action: ActionReader): Node[] {
    if (action.word('if')) return [this.#block('if', action, [])];
    action.end();
    const { nodes, ending } = this.#nodes();
    if (!ending?.word('end')) throw action.refuse('{{end}} is missing');
    return nodes;
  }
}

/** Throws ERR_TSRUN_USAGE, naming what is not supported. */
export function parseTemplate(template: string): Node[] {
  return new TemplateParser(template).parse();
}
