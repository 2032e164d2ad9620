/**
 * JSON in which no key of an object may occur twice. JSON.parse() takes the last of several, other readers the first: who reads a policy,
 * or what a signature covers, must not be led to another meaning than its author.
 *
 * JSON.parse() reads the values; what is here walks the same text once more, and looks at keys only. Objects come without a prototype, so
 * that `__proto__` is a key like any other.
 */
export type Json = null | boolean | number | string | Json[] | JsonObject;
export interface JsonObject {
  [key: string]: Json;
}

export const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Strings, with their quotes; and the marks between values. Numbers and words need no look. */
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]/gs;

/** Throws SyntaxError: what is no JSON, or a key that is there twice. */
export function parseStrictJson(text: string): Json {
  const value = JSON.parse(text) as Json;
  requireUniqueKeys(text);
  return withoutPrototypes(value);
}

function requireUniqueKeys(text: string): void {
  // one set of keys for each object that is open, undefined for a list
  const open: (Set<string> | undefined)[] = [];
  let last = '';
  for (const [token] of text.matchAll(TOKEN)) {
    if (token === '{') open.push(new Set());
    else if (token === '[') open.push(undefined);
    else if (token === '}' || token === ']') open.pop();
    else if (token === ':') noteKey(open.at(-1), JSON.parse(last) as string);
    last = token;
  }
}

function noteKey(keys: Set<string> | undefined, key: string): void {
  if (keys?.has(key)) throw new SyntaxError(`the key ${JSON.stringify(key)} is there twice`);
  keys?.add(key);
}

function withoutPrototypes(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutPrototypes);
  if (!isJsonObject(value)) return value;
  const entries = Object.entries(value).map(([key, each]) => [key, withoutPrototypes(each)] as const);
  const object = Object.create(null) as JsonObject;
  for (const [key, each] of entries) object[key] = each;
  return object;
}
