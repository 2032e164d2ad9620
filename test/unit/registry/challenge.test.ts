import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseChallenges } from '../../../src/registry/challenge.ts';

test.each([
  [
    'Bearer realm="https://a/t",service="s",scope="repository:a/b:pull,push"',
    [['bearer', { realm: 'https://a/t', service: 's', scope: 'repository:a/b:pull,push' }]],
  ],
  ['Basic realm="x"', [['basic', { realm: 'x' }]]],
  ['Basic', [['basic', {}]]],
  ['BEARER REALM=plain , Service = "s p"', [['bearer', { realm: 'plain', service: 's p' }]]],
  [
    'Bearer realm="r", Basic realm="b"',
    [
      ['bearer', { realm: 'r' }],
      ['basic', { realm: 'b' }],
    ],
  ],
  [
    'Negotiate, Basic realm="b"',
    [
      ['negotiate', {}],
      ['basic', { realm: 'b' }],
    ],
  ],
  [
    'Negotiate YWJj==, Basic realm="b"',
    [
      ['negotiate', {}],
      ['basic', { realm: 'b' }],
    ],
  ],
  ['Basic realm="quote \\" and comma, in"', [['basic', { realm: 'quote " and comma, in' }]]],
  ['Bearer realm="first",realm="second"', [['bearer', { realm: 'first' }]]],
  ['Bearer realm="unclosed', [['bearer', {}]]],
  ['', []],
])('%s', (header, expected) => {
  expect(parseChallenges(header).map((c) => [c.scheme, { ...c.parameters }])).toMatchObject(expected);
});

test('several headers', () => {
  expect(parseChallenges(['Bearer realm="a"', 'Basic realm="b"']).map((c) => c.scheme)).toEqual([
    'bearer',
    'basic',
  ]);
  expect(parseChallenges(undefined)).toEqual([]);
});

test('any text is read to its end', () => {
  const text = fc.string({ unit: fc.constantFrom(...'aB ,="\\\t;/'.split('')), maxLength: 60 });
  fc.assert(
    fc.property(text, (header) => Array.isArray(parseChallenges(header))),
    { numRuns: 2000 },
  );
});

test('what is quoted comes back', () => {
  const value = fc.string({ minLength: 1 });
  fc.assert(
    fc.property(value, value, (realm, service) => {
      const quote = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`;
      const [challenge] = parseChallenges(`Bearer realm=${quote(realm)}, service=${quote(service)}`);
      expect({ ...challenge?.parameters }).toEqual({ realm, service });
    }),
  );
});
