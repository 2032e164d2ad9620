/** The freezer's files, as cgroup-v2.rst describes them, in a directory of our own: there is no cgroup here that a test may write. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { freezableCgroup, freeze, isFrozen } from '../../../src/store/freezer.ts';

let tree: string;
beforeEach(() => {
  tree = mkdtempSync(join(tmpdir(), 'tsrun-freezer-'));
});
afterEach(() => rmSync(tree, { recursive: true, force: true }));

it('a process that shares its supervisor’s cgroup is not frozen: the supervisor would be, too', () => {
  writeFileSync(join(tree, 'cgroup.procs'), '');
  expect(freezableCgroup(process.pid, process.pid, [tree])).toBeUndefined();
  expect(freezableCgroup(process.pid, 2 ** 22, [tree])).toBeUndefined();
});

it('frozen is what cgroup.events says, not what was asked for', async () => {
  const directory = join(tree, 'container');
  mkdirSync(directory);
  writeFileSync(join(directory, 'cgroup.freeze'), '0');
  writeFileSync(join(directory, 'cgroup.events'), 'populated 1\nfrozen 0\n');
  expect(isFrozen(directory)).toBe(false);
  const freezing = freeze({ directory }, true);
  expect(readFileSync(join(directory, 'cgroup.freeze'), 'utf8')).toBe('1');
  let done = false;
  void freezing.then(() => {
    done = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect(done).toBe(false);
  writeFileSync(join(directory, 'cgroup.events'), 'populated 1\nfrozen 1\n');
  await freezing;
  expect(isFrozen(directory)).toBe(true);
  rmSync(directory, { recursive: true });
  expect(isFrozen(directory)).toBe(false);
});
