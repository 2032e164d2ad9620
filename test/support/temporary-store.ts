import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { StorePaths } from '../../src/store/paths.ts';

/** A directory of its own for one test, removed after it. */
export function temporaryDirectoryForTest(): string {
  const directory = mkdtempSync(join(tmpdir(), 'tsrun-test-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** An empty store for one test. */
export function temporaryStore(): StorePaths {
  const directory = temporaryDirectoryForTest();
  return { root: join(directory, 'root'), runtime: join(directory, 'runtime') };
}
