import { expect, test } from 'vitest';
import { chainIds, isDigest, parseDigest, shortDigest } from '../../../src/spec/digest.ts';
import type { DiffId } from '../../../src/spec/image.ts';
import { sha256 } from '../../../src/store/hash.ts';

test('only lowercase sha256 in full is a digest', () => {
  expect(isDigest(sha256('x'))).toBe(true);
  for (const text of [
    undefined,
    'sha256:',
    `sha256:${'A'.repeat(64)}`,
    `sha512:${'a'.repeat(128)}`,
    `sha256:${'a'.repeat(64)}\n`,
  ]) {
    expect(isDigest(text)).toBe(false);
    expect(() => parseDigest(text, 'it')).toThrow(/it is not valid/);
  }
  expect(shortDigest(sha256(''))).toBe('e3b0c44298fc');
});

test('chain ids are those of image-spec', () => {
  const [a, b, c] = ['a', 'b', 'c'].map((text) => sha256(text) as DiffId) as [DiffId, DiffId, DiffId];
  const ab = sha256(`${a} ${b}`);
  expect(chainIds([a, b, c], sha256)).toEqual([a, ab, sha256(`${ab} ${c}`)]);
  expect(chainIds([], sha256)).toEqual([]);
});
