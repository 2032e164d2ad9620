/**
 * pause and unpause (SUP-7): every process of the container is held, `ps` and `inspect` say so as long as it is true, and a paused
 * container can be stopped, killed and removed. On hosts without a cgroup that the user may write, by SIGSTOP to the whole pid namespace.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { containerPids, isRunning } from '../support/container-processes.ts';
import { useTsrun } from '../support/tsrun.ts';
import { until } from '../support/until.ts';

const tsrun = useTsrun();
const IMAGE = 'localhost/busybox';
const RUN = ['run', '-d', '--network', 'none'];

const status = (name: string): Promise<string> =>
  tsrun.ok('ps', '-a', '--filter', `name=${name}`, '--format', '{{.State}} {{.Status}}');
const logLength = async (name: string): Promise<number> => (await tsrun.ok('logs', name)).length;

/** The state letters of all processes in the pid namespace of `init`, by /proc/PID/status: its own pids are the last of NSpid. */
function states(init: number): string[] {
  const children = (pid: number): number[] =>
    readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
    );
  const all = (pid: number): number[] => [pid, ...children(pid).flatMap(all)];
  return all(init).map(
    (pid) => /^State:\s+(\S)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '',
  );
}

const TICKING = 'sh -c "while :; do echo tick; sleep 0.05; done" & while :; do echo tock; sleep 0.05; done';

describe('a paused container', () => {
  it('does nothing, however many processes it has, until it is unpaused', async () => {
    await tsrun.ok(...RUN, '--name', 'ticking', IMAGE, 'sh', '-c', TICKING);
    const { init } = await containerPids(tsrun, 'ticking');
    await until('it ticks', async () => (await tsrun.ok('logs', 'ticking')).includes('tick\ntock'));
    const paused = await tsrun.expect(0, ['pause', 'ticking']);
    expect(paused.stdout).toBe('ticking\n');
    expect(paused.stderr).toMatch(
      /^(tsrun: there is no cgroup that you may freeze: the processes were sent SIGSTOP\n)?$/,
    );
    expect(await status('ticking')).toMatch(/^paused Up .* \(Paused\)$/);
    expect(
      await tsrun.ok(
        'inspect',
        '--format',
        '{{.State.Status}} {{.State.Paused}} {{.State.Running}}',
        'ticking',
      ),
    ).toBe('paused true true');
    // Two processes of the shell and a sleep each, at the least; all of them held. (The freezer shows no letter of its own.)
    // A sleep that had just ended is a zombie as long as its shell is held.
    const held = states(init).filter((state) => state !== 'Z');
    if (paused.stderr !== '') expect(new Set(held)).toEqual(new Set(['T']));
    // What was said before may have been on its way to the log.
    const before = await until('the log is complete', async () => {
      const length = await logLength('ticking');
      return length === (await logLength('ticking')) && length;
    });
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await logLength('ticking')).toBe(before);

    const { stderr } = await tsrun.expect(125, ['exec', 'ticking', 'true']);
    expect(stderr).toContain('container ticking is paused, not running');
    expect(stderr).toContain('tsrun unpause ticking');
    await tsrun.expect(125, ['pause', 'ticking']);
    await tsrun.expect(125, ['start', 'ticking']);

    await tsrun.ok('unpause', 'ticking');
    expect(await status('ticking')).toMatch(/^running Up/);
    await until('it ticks again', async () => (await logLength('ticking')) > before);
    await tsrun.expect(125, ['unpause', 'ticking']);
    await tsrun.ok('rm', '-f', 'ticking');
  });

  it('with processes of exec: they are held, too', async () => {
    await tsrun.ok(...RUN, '--name', 'host', '--init', IMAGE, 'sleep', '1000');
    await tsrun.ok('exec', '-d', 'host', 'sh', '-c', 'while :; do echo x >> /tmp/x; sleep 0.02; done');
    await until(
      'it writes',
      async () => (await tsrun.run(['exec', 'host', 'test', '-s', '/tmp/x'])).status === 0,
    );
    await tsrun.ok('pause', 'host');
    const { init } = await containerPids(tsrun, 'host');
    const size = (): number => readFileSync(`/proc/${init}/root/tmp/x`).length;
    const before = size();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(size()).toBe(before);
    await tsrun.ok('unpause', 'host');
    await until('it writes again', () => size() > before);
    await tsrun.ok('rm', '-f', 'host');
  });

  it('is stopped by its stop signal, which it can still handle', async () => {
    const script = 'trap "echo bye; exit 3" TERM; echo up; while :; do sleep 0.1; done';
    await tsrun.ok(...RUN, '--name', 'polite', '--stop-timeout', '100', IMAGE, 'sh', '-c', script);
    await until('it listens', async () => (await tsrun.ok('logs', 'polite')) === 'up');
    await tsrun.ok('pause', 'polite');
    await tsrun.ok('stop', 'polite');
    expect(await status('polite')).toMatch(/^exited Exited \(3\)/);
    expect(await tsrun.ok('logs', 'polite')).toBe('up\nbye');
    await tsrun.ok('start', 'polite');
    expect(await status('polite')).toMatch(/^running Up/);
    await tsrun.ok('rm', '-f', 'polite');
  });

  it.each([['kill'], ['stop', '-t', '0'], ['rm', '-f']])('is ended by %s %s', async (...words) => {
    await tsrun.ok(...RUN, '--name', 'held', IMAGE, 'sleep', '1000');
    const { init, supervisor } = await containerPids(tsrun, 'held');
    await tsrun.ok('pause', 'held');
    await tsrun.ok(...words, 'held');
    await until('it is gone', () => !isRunning(init) && !isRunning(supervisor));
    await tsrun.ok('rm', '-f', 'held');
  });

  it('is removed only by force', async () => {
    await tsrun.ok(...RUN, '--name', 'kept', IMAGE, 'sleep', '1000');
    await tsrun.ok('pause', 'kept');
    await tsrun.expect(2, ['rm', 'kept']);
    expect(await status('kept')).toMatch(/^paused/);
    await tsrun.ok('rm', '-f', 'kept');
  });

  it('whose supervisor is killed: exited, status unknown', async () => {
    await tsrun.ok(...RUN, '--name', 'orphan', IMAGE, 'sleep', '1000');
    const { supervisor } = await containerPids(tsrun, 'orphan');
    await tsrun.ok('pause', 'orphan');
    process.kill(supervisor, 'SIGKILL');
    await until('ps knows', async () => (await status('orphan')).startsWith('exited'));
    await tsrun.ok('start', 'orphan');
    expect(await status('orphan')).toMatch(/^running Up/);
    await tsrun.ok('rm', '-f', 'orphan');
  });
});

it('--all pauses and unpauses those that can be', async () => {
  for (const name of ['one', 'two']) await tsrun.ok(...RUN, '--name', name, IMAGE, 'sleep', '1000');
  await tsrun.ok('create', '--name', 'three', '--network', 'none', IMAGE, 'sleep', '1000');
  expect((await tsrun.ok('pause', '-a')).split('\n').sort()).toEqual(['one', 'two']);
  expect((await tsrun.ok('unpause', '-a')).split('\n').sort()).toEqual(['one', 'two']);
  await tsrun.ok('rm', '-f', 'one', 'two', 'three');
});

it('what is no running container cannot be paused', async () => {
  await tsrun.ok('create', '--name', 'idle', '--network', 'none', IMAGE, 'sleep', '1000');
  const { stderr } = await tsrun.expect(125, ['pause', 'idle']);
  expect(stderr).toContain('container idle is created, not running');
  // A process that stops itself is not paused by us.
  await tsrun.ok(...RUN, '--name', 'self', '--init', IMAGE, 'sh', '-c', 'kill -STOP $$; echo on');
  expect(await status('self')).toMatch(/^running Up/);
  await tsrun.ok('rm', '-f', 'idle', 'self');
});
