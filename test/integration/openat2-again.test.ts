/**
 * openat2(2) gives up with EAGAIN when something was renamed or mounted, anywhere on the machine, while it followed a `..`. Once a container
 * with a volume behind such a path did not start, one time in ten on a busy machine.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { call, close } from '../../src/sys/calls.ts';
import { AT_FDCWD, O_CLOEXEC, O_PATH, RESOLVE_IN_ROOT } from '../../src/sys/constants.ts';
import { nativeRunner } from '../../src/sys/run.ts';
import { Slots } from '../../src/sys/step.ts';

const OPEN_HOW_SIZE = 24;
const RENAMES = `const { renameSync } = require('node:fs');
process.stdout.write('.');
for (;;) { renameSync('a', 'b'); renameSync('b', 'a'); }`;

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tsrun-openat2-'));
  mkdirSync(join(directory, 'x'));
  mkdirSync(join(directory, 'a'));
});
afterEach(() => rmSync(directory, { recursive: true }));

/** Follows twelve `..`, a hundred times. Throws when one does not end where it should. */
function lookUp(): void {
  const slots = new Slots();
  const root = slots.new('root');
  const how = {
    fields: [O_PATH | O_CLOEXEC, 0, RESOLVE_IN_ROOT].map((value) => ({ value, width: 8 }) as const),
  };
  const look = (i: number) => {
    const fd = slots.new(`x${i}`);
    return [
      call('user', 'look', 'openat2', [root, 'x/../'.repeat(12), how, OPEN_HOW_SIZE], { result: fd }),
      close('user', 'seen', fd),
    ];
  };
  const open = call('user', 'here', 'openat', [AT_FDCWD, directory, O_PATH | O_CLOEXEC, 0], { result: root });
  const steps = [open, ...Array.from({ length: 100 }, (_, i) => look(i)).flat(), close('user', 'done', root)];
  nativeRunner.run({ slots, steps });
}

it('a path with .. is found while somebody renames without end', async () => {
  const child = spawn(process.execPath, ['-e', RENAMES], {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    await once(child.stdout, 'data');
    for (let i = 0; i < 100; i++) lookUp();
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  expect(child.signalCode).toBe('SIGKILL');
});
