/**
 * Regression: `tsrun run` right after another container's end failed with "setns: No such process", when the process whose namespaces it
 * was about to join, that container's supervisor, ended between being found and being joined.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { newRootless, runInside, spawnInside } from '../../src/rootless/enter.ts';
import { call } from '../../src/sys/calls.ts';
import { AT_FDCWD } from '../../src/sys/constants.ts';
import { openPidfd, startTimeOf } from '../../src/sys/process.ts';

/** pidfd of a process that is gone */
async function goneHolder(): Promise<number> {
  const child = spawn('sleep', ['1000']);
  const pid = child.pid!;
  const pidfd = openPidfd({ pid, startTime: startTimeOf(pid)! })!;
  child.kill('SIGKILL');
  await once(child, 'exit');
  return pidfd;
}

it('makes new namespaces when the process to join has ended', async () => {
  const holder = await goneHolder();
  const directory = join(tmpdir(), `tsrun-enter-${process.pid}`);
  try {
    runInside({ ...newRootless(), holder }, () => [
      call('rootless', 'leave a trace', 'mkdirat', [AT_FDCWD, directory, 0o700]),
    ]);
    expect(existsSync(directory)).toBe(true);
  } finally {
    rmSync(directory, { recursive: true, force: true });
    closeSync(holder);
  }
});

it('starts a program in new ones as well', async () => {
  const holder = await goneHolder();
  const program = { path: '/bin/true', argv: ['true'], env: [], fds: [0, 1, 2] };
  const child = spawnInside({ ...newRootless(), holder }, program);
  expect(child.pid).toBeGreaterThan(0);
  closeSync(child.pidfd);
  closeSync(holder);
});
