/** The reader of plain TOML says what the parser of all of it says, or nothing. */
import fc from 'fast-check';
import { parse } from 'smol-toml';
import { describe, expect, test } from 'vitest';
import { parsePlainToml } from '../../../src/registry/plain-toml.ts';

/** Debian's, and what users write. */
const PLAIN = `# comment = "x"
unqualified-search-registries = ["docker.io", "quay.io"] # in this order
credential-helpers = []

[[registry]]
location = "127.0.0.1:5000"
insecure = true
[[registry]]
prefix = "*.example.com"\t# [a], "b"
blocked = false
[aliases]
  # almalinux
  "almalinux" = "docker.io/library/almalinux"
  bare-key_1 = "x=#]"
  "" = ""
  "constructor" = "a"
`;

test('what distributions and users write is read', () => {
  expect(parsePlainToml(PLAIN)).toEqual(parse(PLAIN));
});

describe('everything else is left to the parser', () => {
  test.each([
    ['a = 1'],
    ["a = 'x'"],
    ['a = """\nx"""'],
    ['a = "\\u0041"'],
    ['a.b = "x"'],
    ['[a.b]'],
    ['[[registry]]\n[[registry.mirror]]'],
    ['a = ["x",]'],
    ['a = [\n"x"]'],
    ['a = "ä"'],
    ['a = "x"\r\n'],
    ['"__proto__" = "x"'],
    ['[aliases]\n[aliases]'],
    ['a = "x"\na = "y"'],
    ['a = ["x"]\n[[a]]'],
    ['[[a]'],
    ['a = "x" b = "y"'],
    ['no TOML at all'],
  ])('%j', (text) => {
    expect(parsePlainToml(text)).toBeUndefined();
  });
});

test('whatever it reads, it reads as the parser does', () => {
  const pieces = [
    '\n',
    ' ',
    '#',
    '[',
    ']',
    '[[a]]',
    '[a]',
    'a',
    'b-1',
    '"',
    '"x"',
    '=',
    ',',
    'true',
    'false',
    '\t',
  ];
  const text = fc.array(fc.constantFrom(...pieces), { maxLength: 24 }).map((parts) => parts.join(''));
  const lines = fc
    .array(
      fc.constantFrom('a = "x"', 'b = ["x", "y"]', '[a]', '[[a]]', '[[b]]', 'c = true', '"a" = "" # x', '#'),
      { maxLength: 8 },
    )
    .map((parts) => parts.join('\n'));
  let read = 0;
  fc.assert(
    fc.property(fc.oneof(text, lines), (toml) => {
      const plain = parsePlainToml(toml);
      if (plain === undefined) return;
      read++;
      expect(plain).toEqual(parse(toml));
    }),
    { numRuns: 3000 },
  );
  expect(read).toBeGreaterThan(100);
});
