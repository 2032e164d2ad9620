import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';

const MODULE = pathToFileURL(join(import.meta.dirname, '../../../src/image/archive/file-sink.ts')).href;

let directory: string;
beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'tsrun-file-sink-'))));
afterEach(() => rmSync(directory, { recursive: true }));

/** Begins a directory, and is interrupted before it is whole. */
const interrupted = (path: string, signal: string) =>
  spawnSync(
    process.execPath,
    [
      '--input-type=module',
      '--eval',
      `import { toUnusedDirectory } from ${JSON.stringify(MODULE)};
       await toUnusedDirectory(${JSON.stringify(path)}, async (sink) => {
         await sink.file('blobs/sha256/abc', 'half');
         process.kill(process.pid, ${JSON.stringify(signal)});
         await new Promise((resolve) => setTimeout(resolve, 60_000));
       });`,
    ],
    { encoding: 'utf8' },
  );

// What was left was in the way of the same command: "the directory … is not empty".
it.each(['SIGINT', 'SIGTERM', 'SIGHUP'])('%s leaves no half directory', (signal) => {
  const fresh = join(directory, 'fresh');
  expect(interrupted(fresh, signal).signal).toBe(signal);
  expect(existsSync(fresh)).toBe(false);
  const empty = join(directory, 'empty');
  mkdirSync(empty);
  expect(interrupted(empty, signal).signal).toBe(signal);
  expect(readdirSync(empty)).toEqual([]);
});
