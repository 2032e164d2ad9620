import { expect, test } from 'vitest';
import {
  chainIds,
  DIGEST_ALGORITHMS,
  isDiffId,
  isDigest,
  isIdPrefix,
  parseDigest,
  shortDigest,
} from '../../../src/spec/digest.ts';
import type { DiffId } from '../../../src/spec/image.ts';
import { digestOf, sha256 } from '../../../src/store/hash.ts';

test('only lowercase sha256 or sha512 in full is a digest', () => {
  for (const algorithm of DIGEST_ALGORITHMS) expect(isDigest(digestOf('x', algorithm))).toBe(true);
  expect([isDiffId(sha256('x')), isDiffId(digestOf('x', 'sha512'))]).toEqual([true, false]);
  for (const text of [
    undefined,
    'sha256:',
    `sha256:${'A'.repeat(64)}`,
    `sha512:${'a'.repeat(64)}`,
    `sha256:${'a'.repeat(128)}`,
    `sha384:${'a'.repeat(96)}`,
    `sha256:${'a'.repeat(64)}\n`,
  ]) {
    expect(isDigest(text)).toBe(false);
    expect(() => parseDigest(text, 'it')).toThrow(/it is not valid/);
  }
  expect(shortDigest(sha256(''))).toBe('e3b0c44298fc');
});

test('an id begins with what was written, and a name with a tag is none', () => {
  const id = digestOf('x', 'sha512');
  for (const written of [id, id.slice(0, 20), id.slice(7), id.slice(7, 11)])
    expect(isIdPrefix(written, id)).toBe(true);
  for (const written of [`sha256:${id.slice(7)}`, `image:${id.slice(7, 11)}`, id.slice(8)])
    expect(isIdPrefix(written, id), written).toBe(false);
});

test('chain ids are those of image-spec', () => {
  const [a, b, c] = ['a', 'b', 'c'].map((text) => sha256(text) as DiffId) as [DiffId, DiffId, DiffId];
  const ab = sha256(`${a} ${b}`);
  expect(chainIds([a, b, c], sha256)).toEqual([a, ab, sha256(`${ab} ${c}`)]);
  expect(chainIds([], sha256)).toEqual([]);
});
