import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openNewFile } from '../../src/sys/new-file.ts';

let directory: string;
beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'tsrun-new-file-'))));
afterEach(() => rmSync(directory, { recursive: true }));

/** A writer that ^C or SIGKILL ends at this point leaves what the directory holds now. */
function writeHalf(path: string) {
  const file = openNewFile(path);
  writeSync(file.fd, 'content');
  return file;
}

// `save -o` and `export -o` left `.tsrun-PID-…`, as long as what had been written.
it('has no name, not even a hidden one, until it is whole', () => {
  const path = join(directory, 'out.tar');
  using file = writeHalf(path);
  expect(readdirSync(directory)).toEqual([]);
  file.keep('refuse');
  expect(readdirSync(directory)).toEqual(['out.tar']);
  expect(readFileSync(path, 'utf8')).toBe('content');
  expect(statSync(path).mode & 0o777).toBe(0o666 & ~process.umask());
});

it('replaces what has its name, or leaves it', () => {
  const path = join(directory, 'out.tar');
  writeFileSync(path, 'old');
  {
    using file = writeHalf(path);
    expect(() => file.keep('refuse')).toThrow('EEXIST');
  }
  expect(readFileSync(path, 'utf8')).toBe('old');
  {
    using file = writeHalf(path);
    file.keep('replace');
  }
  expect(readFileSync(path, 'utf8')).toBe('content');
  expect(readdirSync(directory)).toEqual(['out.tar']);
});

it('says why there can be none', () => {
  expect(() => openNewFile(join(directory, 'nowhere', 'out.tar'))).toThrow('ENOENT');
});
