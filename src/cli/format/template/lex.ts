/** The text of a template → text and actions; an action → tokens. (Go's text/template, the part that users of `--format` write.) */
import { usageError } from '../../parse/usage.ts';

export type Piece = { kind: 'text'; text: string } | { kind: 'action'; source: string };

export type Token =
  | { kind: 'string'; value: string }
  | { kind: 'number'; value: number }
  /** `.Name`: a field of the cursor, or of what stands directly before it. `.` alone has no name. */
  | { kind: 'field'; name: string; attached: boolean }
  /** `$` (the name is empty) or `$name` */
  | { kind: 'variable'; name: string }
  | { kind: 'word'; value: string }
  | { kind: 'punctuation'; value: '(' | ')' | '|' | ',' | ':=' | '=' };

/** Cuts at `{{` and `}}`; `{{-` and `-}}` take the white space beside them away. Throws ERR_TSRUN_USAGE. */
export function splitActions(template: string): Piece[] {
  const pieces: Piece[] = [];
  let rest = template;
  let trimNext = false;
  for (;;) {
    const start = rest.indexOf('{{');
    let text = start === -1 ? rest : rest.slice(0, start);
    if (trimNext) text = text.trimStart();
    if (start === -1) {
      if (text !== '') pieces.push({ kind: 'text', text });
      return pieces;
    }
    const end = endOfAction(rest, start + 2);
    if (end === -1) throw usageError(`--format: {{ without }} in "${rest.slice(start)}"`);
    let source = rest.slice(start + 2, end);
    if (/^-\s/.test(source)) {
      text = text.trimEnd();
      source = source.slice(1);
    }
    trimNext = /\s-$/.test(source);
    if (trimNext) source = source.slice(0, -1);
    if (text !== '') pieces.push({ kind: 'text', text });
    if (!/^\s*\/\*[\s\S]*\*\/\s*$/.test(source)) pieces.push({ kind: 'action', source });
    rest = rest.slice(end + 2);
  }
}

/** Where `}}` is outside of strings. */
function endOfAction(text: string, from: number): number {
  let quote = '';
  for (let at = from; at < text.length; at++) {
    const character = text[at] ?? '';
    if (quote === '"' && character === '\\') at++;
    else if (quote !== '') quote = character === quote ? '' : quote;
    else if (character === '"' || character === '`') quote = character;
    else if (text.startsWith('}}', at)) return at;
  }
  return -1;
}

const TOKEN =
  /\s*(?:(?<string>"(?:[^"\\]|\\.)*"|`[^`]*`)|(?<number>[+-]?\d+(?:\.\d+)?)|(?<field>\.[A-Za-z_][A-Za-z0-9_]*|\.)|\$(?<variable>[A-Za-z_][A-Za-z0-9_]*)?|(?<word>[A-Za-z_][A-Za-z0-9_]*)|(?<punctuation>:=|[()|,=]))/y;

/** Throws ERR_TSRUN_USAGE for what no token begins with. */
export function tokenize(source: string): Token[] {
  const tokens: Token[] = [];
  const text = source.trimEnd();
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const from = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (!match) throw usageError(`--format: "${text.slice(from).trim()}" in {{${source}}} is not supported`);
    tokens.push(tokenOf(match, from));
  }
  return tokens;
}

function tokenOf(match: RegExpExecArray, from: number): Token {
  const { string, number, field, variable, word, punctuation } = match.groups ?? {};
  if (string !== undefined) return { kind: 'string', value: unquote(string) };
  if (number !== undefined) return { kind: 'number', value: Number(number) };
  if (field !== undefined) {
    const attached = from > 0 && !/^\s/.test(match[0]);
    return { kind: 'field', name: field.slice(1), attached };
  }
  if (word !== undefined) return { kind: 'word', value: word };
  if (punctuation !== undefined) {
    return { kind: 'punctuation', value: punctuation as '(' | ')' | '|' | ',' | ':=' | '=' };
  }
  return { kind: 'variable', name: variable ?? '' };
}

const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  '"': '"',
  '\\': '\\',
  "'": "'",
};

function unquote(quoted: string): string {
  const inner = quoted.slice(1, -1);
  if (quoted.startsWith('`')) return inner;
  return inner.replace(/\\(.)/g, (all, character: string) => {
    const known = ESCAPES[character];
    if (known !== undefined) return known;
    throw usageError(`--format: the escape ${all} in ${quoted} is not supported`);
  });
}
