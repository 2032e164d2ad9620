/** native/init.c: process 1 of a container with --init. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import * as messages from '../../src/supervisor/messages.ts';
import { nativeDirectory } from '../../src/sys/native-directory.ts';
import { shell } from '../support/shell-program.ts';
import { supervise } from '../support/supervisor-harness.ts';

const init = join(nativeDirectory(), 'init');
const attach = { stdin: true, stdout: true, stderr: true };
/** Runs `script` below init. */
const underInit = (script: string, terminal = false) =>
  supervise({ start: shell('', { argv: [init, 'sh', '-c', script], terminal }), attach });

describe('init ends as its command', () => {
  test.each([0, 1, 125, 255])('with status %i', (status) => {
    expect(spawnSync(init, ['sh', '-c', `exit ${status}`]).status).toBe(status);
  });

  test('with 128 + n after signal n', () => {
    expect(spawnSync(init, ['sh', '-c', 'kill -9 $$']).status).toBe(137);
    expect(spawnSync(init, ['sh', '-c', 'kill -15 $$']).status).toBe(143);
  });

  test.each([
    [
      'a command that is not there',
      'does-not-exist',
      127,
      'init: cannot run does-not-exist: errno 2 (not found)\n',
    ],
    [
      'a path that is not there',
      '/does/not/exist',
      127,
      'init: cannot run /does/not/exist: errno 2 (not found)\n',
    ],
    ['a directory', '/etc', 126, 'init: cannot run /etc: errno 13 (permission denied)\n'],
    [
      'a file that is no program',
      '/etc/passwd',
      126,
      'init: cannot run /etc/passwd: errno 13 (permission denied)\n',
    ],
  ])('%s', (_, command, status, words) => {
    const env = { PATH: '/usr/bin:/bin' };
    const result = spawnSync(init, [command], { env, encoding: 'utf8' });
    expect([result.status, result.stderr]).toEqual([status, words]);
  });

  test('finds commands as execvp does', () => {
    const env = { PATH: '/does/not/exist:/etc/passwd:/usr/bin:/bin', TERM: 'x' };
    const result = spawnSync(init, ['sh', '-c', 'echo "$0 $1 $TERM"', 'a', 'b c'], { env, encoding: 'utf8' });
    expect(result.stdout).toBe('a b c x\n');
    expect(spawnSync(init, ['true'], { env: {} }).status).toBe(0);
    expect(spawnSync(init, ['true'], { env: { PATH: '/does/not/exist' } }).status).toBe(127);
  });
});

describe('signals', () => {
  test.each([1, 2, 3, 10, 12, 15, 28, 40, 64])('%i is passed on to the command', async (number) => {
    const { first } = underInit(
      `trap 'echo got; exit 3' ${number}; echo ready; while :; do sleep 0.02; done`,
    );
    await first.until(() => first.output('stdout').includes('ready'));
    first.send(messages.signal(number));
    expect((await first.message('exit')).status).toEqual({ kind: 'exited', code: 3 });
    expect(first.output('stdout').toString()).toBe('ready\ngot\n');
  });

  test('end a command that does not handle them', async () => {
    const { first } = underInit('echo ready; exec sleep 1000');
    await first.until(() => first.output('stdout').includes('ready'));
    first.send(messages.signal(15));
    expect((await first.message('exit')).status).toEqual({ kind: 'exited', code: 143 });
  });

  test('are neither blocked nor ignored in the command', () => {
    const result = spawnSync(init, ['grep', '-E', '^SigBlk', '/proc/self/status'], { encoding: 'utf8' });
    expect(result.stdout).toMatch(/^SigBlk:\t0+\n$/);
  });
});

test('orphans are reaped', async () => {
  const { first } = underInit(`(sh -c 'echo $$' &); while read -r line; do :; done`);
  await first.until(() => first.output('stdout').includes('\n'));
  const orphan = Number(first.output('stdout'));
  while (existsSync(`/proc/${orphan}`)) await new Promise((resolve) => setTimeout(resolve, 5));
  first.send(messages.stdinEof());
  await first.message('exit');
});

describe('on a terminal', () => {
  test('^C reaches the command, in a process group of its own in the foreground', async () => {
    const { first } = underInit(
      'trap "echo int; exit 5" INT; ps -o pid=,pgid=,tpgid= -p $$; while :; do sleep 0.05; done',
      true,
    );
    await first.until(() => first.output('stdout').includes('\n'));
    const [pid, group, foreground] = first.output('stdout').toString().trim().split(/\s+/);
    expect([group, foreground]).toEqual([pid, pid]);
    first.send(messages.stdin(Buffer.from('\x03')));
    expect((await first.message('exit')).status).toEqual({ kind: 'exited', code: 5 });
  });
});

describe('as process 1 of a pid namespace', () => {
  const asFirst = (script: string) =>
    spawnSync('unshare', ['--user', '--map-root-user', '--pid', '--fork', init, 'sh', '-c', script], {
      encoding: 'utf8',
    });

  test('a signal from inside reaches the command', () => {
    const result = asFirst('trap "echo got; exit 4" TERM; kill -TERM 1; while :; do sleep 0.02; done');
    expect([result.stdout, result.status]).toEqual(['got\n', 4]);
  });

  test('its end is the end of all', () => {
    expect(asFirst('(sleep 1000 &); exit 6').status).toBe(6);
  });
});
