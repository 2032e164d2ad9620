/** Files that grow, for tests of those who read along. */
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { GrowingFile } from '../../src/store/growing-file.ts';

/** Of all files of a test file. */
let directory: string | undefined;
let files = 0;
afterAll(() => {
  if (directory !== undefined) rmSync(directory, { recursive: true });
  directory = undefined;
});

export interface WrittenFile {
  file: GrowingFile;
  append(bytes: Uint8Array): void;
}

/** A temporary file with `bytes` in it, and more to come until `file.end()`. */
export function growingFile(bytes: Uint8Array = Buffer.alloc(0)): WrittenFile {
  directory ??= mkdtempSync(join(tmpdir(), 'tsrun-growing-'));
  const path = join(directory, `blob-${files++}`);
  writeFileSync(path, bytes);
  const file = new GrowingFile([path, `${path}.final`], bytes.length);
  return {
    file,
    append(more) {
      appendFileSync(path, more);
      file.grow(more.length);
    },
  };
}

/** A temporary file of `bytes`, which grows no more. */
export function wholeFile(bytes: Uint8Array): GrowingFile {
  const { file } = growingFile(bytes);
  file.end();
  return file;
}
