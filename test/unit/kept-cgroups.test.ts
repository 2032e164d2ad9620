/** Cgroups of a container whose supervisor could not remove them: a killed one, or one whose container had made cgroups of its own. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { keepCgroups, removeCgroups } from '../../src/engine/kept-cgroups.ts';
import { runtimeContainerDirectory, type StorePaths } from '../../src/store/paths.ts';

const ID = 'c'.repeat(64);
let directory: string;
let paths: StorePaths;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tsrun-kept-'));
  paths = { root: join(directory, 'store'), runtime: join(directory, 'run') };
  mkdirSync(runtimeContainerDirectory(paths, ID), { recursive: true });
});
afterEach(() => rmSync(directory, { recursive: true }));

const group = (path: string): string => {
  const made = join(directory, 'cgroup', path);
  mkdirSync(made, { recursive: true });
  return made;
};

it('all of every start go, children first, and nothing beside them', () => {
  const [first, second] = [group('a/tsrun-c'), group('b/tsrun-c')];
  group('a/tsrun-c/one/two');
  const other = group('a/tsrun-d');
  keepCgroups(paths, ID, [first]);
  keepCgroups(paths, ID, [second, first]);
  expect(readFileSync(join(runtimeContainerDirectory(paths, ID), 'cgroups'), 'utf8')).toBe(
    `${first}\n${second}\n`,
  );
  removeCgroups(paths, ID);
  expect([first, second, other].map((path) => existsSync(path))).toEqual([false, false, true]);
  expect(existsSync(dirname(first))).toBe(true);
});

it('no file is ever unlinked; one that is gone already, or none, is no failure', () => {
  removeCgroups(paths, ID);
  const busy = group('tsrun-c');
  writeFileSync(join(busy, 'cgroup.procs'), '1\n'); // as rmdir(2) sees a cgroup with a process: not to be removed
  keepCgroups(paths, ID, [group('gone'), busy]);
  rmSync(join(directory, 'cgroup/gone'), { recursive: true });
  removeCgroups(paths, ID);
  expect(readFileSync(join(busy, 'cgroup.procs'), 'utf8')).toBe('1\n');
});
