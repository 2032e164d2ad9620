import { describe, expect, test } from 'vitest';
import { parseForeignJson } from '../../../src/spec/foreign-json.ts';

const members = (count: number, colon = ':') =>
  `{${Array.from({ length: count }, (_, i) => `"name${i}"${colon}0`).join(',')}}`;

describe('parseForeignJson', () => {
  // The seed of V8's hash tables is known (src/cli/tsrun.sh): names that collide could keep a pull busy for minutes.
  test.each([':', ' :', '\n\t :'])('refuses objects of very many members, with %j after a name', (colon) => {
    expect(() => parseForeignJson(members(25_001, colon))).toThrow('more than 25,000 members');
    expect(Object.keys(parseForeignJson(members(25_000, colon)) as object)).toHaveLength(25_000);
  });

  test('counts the members of all objects together', () => {
    expect(() => parseForeignJson(`[${members(13_000)},${members(13_000)}]`)).toThrow(SyntaxError);
  });

  test('long lists and long texts are no members', () => {
    const tags = Array.from({ length: 100_000 }, (_, i) => `v${i}:x`);
    expect(parseForeignJson(JSON.stringify({ tags }))).toEqual({ tags });
    expect(parseForeignJson(JSON.stringify('::'.repeat(200_000)))).toHaveLength(400_000);
  });

  test('what is not JSON is a SyntaxError, also where it is long and begins with a colon', () => {
    expect(() => parseForeignJson(':')).toThrow(SyntaxError);
    expect(() => parseForeignJson(`${' '.repeat(200_000)}:`)).toThrow(SyntaxError);
  });
});
