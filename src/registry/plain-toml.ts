/**
 * The part of TOML in which registries.conf is mostly written, as distributions install it: comments, `[table]` and `[[table]]`, and
 * lines of `key = "text"`, `true`, `false` or `["text", …]`. The parser of all of TOML takes 4 ms to be loaded and to read some aliases,
 * of a pull of 150; it is asked for everything else, and says what is wrong.
 */
type Value = string | boolean | string[] | Table | Table[];
type Table = { [key: string]: Value };

const TEXT = '"[^"\\\\]*"';

/** Of a line: a header's brackets and name; or a key, in quotes or without, and its value; or nothing but a comment. */
function lineForm(): RegExp {
  const list = `\\[\\s*(?:${TEXT}(?:\\s*,\\s*${TEXT})*)?\\s*\\]`;
  const pair = `(?:"([^"\\\\]*)"|([\\w-]+))\\s*=\\s*(${TEXT}|true|false|${list})`;
  return new RegExp(`^\\s*(?:(\\[\\[?)([a-z]+)(\\]\\]?)|${pair})?\\s*(?:#.*)?$`);
}

function meaningOf(written: string): Value {
  if (written.startsWith('"')) return written.slice(1, -1);
  if (!written.startsWith('[')) return written === 'true';
  return [...written.matchAll(/"([^"]*)"/g)].map(([, text = '']) => text);
}

/** The table that a header begins; undefined when it is there already. */
function begin(root: Table, name: string, isOneOfMany: boolean): Table | undefined {
  const table: Table = {};
  const known = Object.hasOwn(root, name) ? root[name] : undefined;
  if (known === undefined) root[name] = isOneOfMany ? [table] : table;
  else if (isOneOfMany && Array.isArray(known) && typeof known[0] === 'object')
    (known as Table[]).push(table);
  else return undefined;
  return table;
}

/** What a text says; undefined when it is anything but what is described above, be it TOML or not. */
export function parsePlainToml(text: string): Table | undefined {
  if (/[^\t\n\x20-\x7e]/.test(text)) return undefined;
  const form = lineForm();
  const root: Table = {};
  let table: Table | undefined = root;
  for (const line of text.split('\n')) {
    const [is, opening, header, closing, quoted, bare, written] = form.exec(line) ?? [];
    if (is === undefined) return undefined;
    if (opening !== undefined && header !== undefined) {
      if (opening.length !== closing?.length) return undefined;
      table = begin(root, header, opening.length === 2);
      if (table === undefined) return undefined;
    } else if (written !== undefined) {
      const key = quoted ?? bare ?? '';
      if (key === '__proto__' || Object.hasOwn(table, key)) return undefined;
      table[key] = meaningOf(written);
    }
  }
  return root;
}
