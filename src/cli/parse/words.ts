/**
 * The words of a command line → the values of its options, and its operands.
 *
 * The rules are those of docker and podman (the pflag library), which getopt_long(3) and npm's parsers do not quite have:
 * `--flag=false`; `-dit` and `-ePATH` and `-e=PATH`; for `run` and `exec` the first operand ends the options, because what follows it is
 * the container's own command line; else options and operands mix, and `--` ends the options.
 */
import type { Option, OptionTable, Values } from '../options/option.ts';
import { closest } from './closest.ts';
import { usageError } from './usage.ts';

export interface ParsedWords<T extends OptionTable> {
  values: Values<T>;
  operands: string[];
  /** --help was asked for; values and operands are then incomplete. */
  help: boolean;
}

export interface WordRules {
  /** How the command is called in messages: `tsrun run`. */
  command: string;
  optionsEndAtOperand: boolean;
  /** Options that docker or podman have and this command has not: name → what to do instead. */
  unsupported?: Readonly<Record<string, string>>;
}

const TRUE = new Set(['true', '1', 't', 'T', 'TRUE', 'True']);
const FALSE = new Set(['false', '0', 'f', 'F', 'FALSE', 'False']);

class WordParser {
  readonly #table: OptionTable;
  readonly #words: readonly string[];
  readonly #rules: WordRules;
  readonly #values: Record<string, unknown> = {};
  readonly #operands: string[] = [];
  #at = 0;

  constructor(table: OptionTable, words: readonly string[], rules: WordRules) {
    this.#table = table;
    this.#words = words;
    this.#rules = rules;
    for (const [name, option] of Object.entries(table)) {
      this.#values[name] = option.kind === 'flag' ? option.default : option.kind === 'list' ? [] : undefined;
    }
  }

  parse(): { values: Record<string, unknown>; operands: string[]; help: boolean } {
    let help = false;
    while (this.#at < this.#words.length && !help) {
      const word = this.#words[this.#at++] ?? '';
      if (word === '--') this.#takeRest();
      else if (word === '--help' || (word === '-h' && this.#byLetter('h') === undefined)) help = true;
      else if (word.startsWith('--')) this.#long(word);
      else if (word.startsWith('-') && word.length > 1) this.#letters(word);
      else {
        this.#operands.push(word);
        if (this.#rules.optionsEndAtOperand) this.#takeRest();
      }
    }
    return { values: this.#values, operands: this.#operands, help };
  }

  #takeRest(): void {
    this.#operands.push(...this.#words.slice(this.#at));
    this.#at = this.#words.length;
  }

  /** `--name`, `--name=value`, `--name value` */
  #long(word: string): void {
    const equals = word.indexOf('=');
    const written = equals === -1 ? word : word.slice(0, equals);
    const [name, option] = this.#byName(written.slice(2)) ?? this.#refuse(written, written.slice(2));
    const text = equals === -1 ? undefined : word.slice(equals + 1);
    if (option.kind === 'flag') this.#values[name] = text === undefined ? true : boolean(written, text);
    else this.#set(name, option, text ?? this.#next(written, option.argument));
  }

  /** `-d`, `-dit`, `-p 80:80`, `-p80:80`, `-p=80:80`, `-t=false` */
  #letters(word: string): void {
    for (let at = 1; at < word.length; at++) {
      const written = `-${word[at]}`;
      const [name, option] = this.#byLetter(word[at] ?? '') ?? this.#refuse(written, word[at] ?? '', word);
      const rest = word.slice(at + 1);
      const assigned = rest.startsWith('=') ? rest.slice(1) : undefined;
      if (option.kind !== 'flag') {
        this.#set(name, option, assigned ?? (rest || this.#next(written, option.argument)));
        return;
      }
      this.#values[name] = assigned === undefined ? true : boolean(written, assigned);
      if (assigned !== undefined) return;
    }
  }

  #set(name: string, option: Exclude<Option, { kind: 'flag' }>, text: string): void {
    const parsed = option.parse(text);
    if (option.kind === 'list') (this.#values[name] as unknown[]).push(parsed);
    else this.#values[name] = parsed;
  }

  #next(written: string, argument: string): string {
    const word = this.#words[this.#at++];
    if (word !== undefined) return word;
    throw usageError(`${written} needs a value: ${written} ${argument}`, `${this.#rules.command} --help`);
  }

  #byName(name: string): [string, Option] | undefined {
    const option = Object.hasOwn(this.#table, name) ? this.#table[name] : undefined;
    if (option) return [name, option];
    return Object.entries(this.#table).find(([, other]) => other.aliases?.includes(name));
  }

  #byLetter(letter: string): [string, Option] | undefined {
    return Object.entries(this.#table).find(([, option]) => option.short === letter);
  }

  #refuse(written: string, name: string, word = written): never {
    const { command, unsupported = {} } = this.#rules;
    if (Object.hasOwn(unsupported, name)) {
      throw usageError(`${command} does not support ${written}`, unsupported[name] || undefined);
    }
    const near = name.length > 1 ? closest(name, Object.keys(this.#table)) : undefined;
    const where = word === written ? '' : ` (in ${word})`;
    throw usageError(
      `${command} has no option ${written}${where}`,
      near === undefined ? `${command} --help` : `did you mean --${near}?`,
    );
  }
}

function boolean(written: string, text: string): boolean {
  if (TRUE.has(text)) return true;
  if (FALSE.has(text)) return false;
  throw usageError(`${written}=${text} is neither true nor false`, `${written}=false`);
}

/** Throws ERR_TSRUN_USAGE. */
export function parseWords<T extends OptionTable>(
  table: T,
  words: readonly string[],
  rules: WordRules,
): ParsedWords<T> {
  return new WordParser(table, words, rules).parse() as ParsedWords<T>;
}
