/** What must hold of a store at any time, whatever was killed (src/store/README.md): looked at from outside, file by file. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Tsrun } from './tsrun.ts';

const list = (directory: string): string[] => (existsSync(directory) ? readdirSync(directory) : []);

/** Every blob that has its name has its content. */
export function damagedBlobs(root: string): string[] {
  const directory = join(root, 'blobs', 'sha256');
  return list(directory)
    .filter((name) => /^[0-9a-f]{64}$/.test(name))
    .filter(
      (name) =>
        createHash('sha256')
          .update(readFileSync(join(directory, name)))
          .digest('hex') !== name,
    );
}

/** The store is whole: blobs are what they are called, and what lists things lists them without a complaint. */
export async function checkStore(tsrun: Tsrun): Promise<void> {
  expect(damagedBlobs(tsrun.store.root)).toEqual([]);
  for (const words of [['images'], ['ps', '-a']]) {
    const { stderr } = await tsrun.expect(0, words);
    expect(stderr, words.join(' ')).toBe('');
  }
}

/** What is in tmp/: work of processes that were killed, until a later command sweeps it. */
export const unfinished = (tsrun: Tsrun): string[] => list(join(tsrun.store.root, 'tmp'));
