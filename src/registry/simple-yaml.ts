/**
 * The part of YAML that files of registries.d(5) are written in: mappings in mappings, by indentation, of plain or quoted scalars, with
 * comments; and `{}` for none. Anything else (lists, anchors, flow collections, several documents) is refused, by line, and not guessed at.
 */
export type YamlValue = string | YamlMap;
export type YamlMap = Map<string, YamlValue>;

interface Line {
  number: number;
  indent: number;
  key: string;
  /** '' when a mapping, or nothing, follows. */
  value: string;
  wasQuoted: boolean;
}

const QUOTED = /^(?:"((?:[^"\\]|\\["\\/])*)"|'((?:[^']|'')*)')/;

const fail = (number: number, problem: string): Error => new Error(`line ${number}: ${problem}`);

/** A quoted text at the beginning of `text`, and what is behind it. */
function quoted(text: string): { value: string; rest: string } | undefined {
  const [all, double, single] = QUOTED.exec(text) ?? [];
  if (all === undefined) return undefined;
  const value = double === undefined ? (single ?? '').replaceAll("''", "'") : double.replace(/\\(.)/g, '$1');
  return { value, rest: text.slice(all.length) };
}

/** ` # comment` ends a plain scalar. */
const withoutComment = (text: string): string => text.replace(/(?:^|\s)#.*$/, '').trim();

function splitKey(text: string, number: number): { key: string; rest: string } {
  const inQuotes = quoted(text);
  const found = inQuotes ? /^\s*:(?:\s|$)/.exec(inQuotes.rest) : /^[^\s#].*?:(?:\s|$)/.exec(text);
  if (found === null) throw fail(number, 'it is not "KEY: VALUE"');
  if (inQuotes) return { key: inQuotes.value, rest: inQuotes.rest.slice(found[0].length) };
  const key = found[0].trimEnd().slice(0, -1).trim();
  if (/^[-?[\]{},&*!|>%@`"']/.test(key)) throw fail(number, `"${key[0]}" is YAML that is not read here`);
  return { key, rest: text.slice(found[0].length) };
}

function parseLine(text: string, number: number): Line | undefined {
  const body = text.trimEnd();
  const content = body.trimStart();
  if (content === '' || content.startsWith('#')) return undefined;
  const indent = body.length - content.length;
  if (body.slice(0, indent).includes('\t')) throw fail(number, 'it is indented by a tab');
  const { key, rest } = splitKey(content, number);
  const value = rest.trim();
  const inQuotes = quoted(value);
  if (inQuotes) {
    if (withoutComment(inQuotes.rest) !== '') throw fail(number, 'there is more behind the quoted value');
    return { number, indent, key, value: inQuotes.value, wasQuoted: true };
  }
  const plain = withoutComment(value);
  if (plain !== '{}' && /^[-?[\]{},&*!|>%@`"'](?:\s|$)|^[[\]{},&*!|>%@`"']/.test(plain))
    throw fail(number, `"${plain[0]}" is YAML that is not read here`);
  return { number, indent, key, value: plain, wasQuoted: false };
}

/** Throws Error with the line that is wrong. A key without anything is an empty mapping. */
export function parseSimpleYaml(text: string): YamlMap {
  const all = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  if (all.find((line) => !/^\s*(?:#|$)/.test(line))?.trimEnd() === '---') all[all.indexOf('---')] = '';
  const lines = all.flatMap((line, i) => parseLine(line, i + 1) ?? []);
  const root: YamlMap = new Map();
  const open: { indent: number; map: YamlMap }[] = [{ indent: lines[0]?.indent ?? 0, map: root }];
  for (const [i, line] of lines.entries()) {
    while ((open.at(-1)?.indent ?? 0) > line.indent && open.length > 1) open.pop();
    const current = open.at(-1);
    if (current?.indent !== line.indent) throw fail(line.number, 'its indentation fits no line above');
    const { map } = current;
    if (map.has(line.key)) throw fail(line.number, `the key "${line.key}" is there twice`);
    const next = lines[i + 1];
    const hasChildren = next !== undefined && next.indent > line.indent;
    const isEmpty = !line.wasQuoted && ['', '{}', '~', 'null'].includes(line.value);
    if (!isEmpty) {
      if (hasChildren) throw fail(next.number, 'a value goes on in the next line');
      map.set(line.key, line.value);
      continue;
    }
    const child: YamlMap = new Map();
    map.set(line.key, child);
    if (hasChildren) open.push({ indent: next.indent, map: child });
  }
  return root;
}
