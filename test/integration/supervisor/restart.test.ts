/**
 * Restarts: the supervisor starts the container again without any tsrun, in a fresh image of itself. Peers lose the policy with their monitor,
 * or restart what the user has just stopped.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { attach as attachTo, policy, signal, stdinEof } from '../../../src/supervisor/messages.ts';
import { call } from '../../../src/sys/calls.ts';
import { AT_FDCWD, O_CLOEXEC } from '../../../src/sys/constants.ts';
import { loggedOutput } from '../../support/k8s-log.ts';
import { shell, touch } from '../../support/shell-program.ts';
import { type Exit, type Running, supervise } from '../../support/supervisor-harness.ts';
import { until } from '../../support/until.ts';

const attach = { stdin: true, stdout: true, stderr: true };
const log = { name: 'log', maxBytes: 0, files: 1 };
const always = { when: 'always' } as const;
const onFailure = (limit: number) => ({ when: 'on-failure', limit }) as const;

interface State {
  supervisor: { pid: number; startTime: number };
  init: { pid: number };
  startedAt: string;
  restarts: number;
}

const state = (run: Running): State => JSON.parse(run.file('state.json')) as State;
const lines = (run: Running): number => loggedOutput(run.log(), 'stdout').split('\n').length - 1;

/** Undefined while there is none: a start removes it. */
function lastEnd(run: Running): Exit | undefined {
  try {
    return run.exit();
  } catch {
    return undefined;
  }
}

const counting = (script: string): string => `echo run; ${script}`;

describe('a container is started again', () => {
  test('as often as on-failure:N says, and its last end is the one on record', async () => {
    const run = supervise({ start: shell(counting('exit 3')), log, restart: onFailure(2) });
    await run.exited;
    expect(lines(run)).toBe(3);
    expect(state(run).restarts).toBe(2);
    expect(run.exit()).toMatchObject({ kind: 'exited', value: 3, startedAt: state(run).startedAt });
    expect(run.exit()).not.toHaveProperty('restartAt');
  });

  test('on failure only: not after a success', async () => {
    const script = 'test -e tried && exit 0; touch tried; exit 1';
    const run = supervise({ start: shell(counting(script)), log, restart: onFailure(0) });
    await run.exited;
    expect(lines(run)).toBe(2);
    expect(run.exit()).toMatchObject({ kind: 'exited', value: 0 });
  });

  test('always, also after a success, with the same pid of the supervisor; SIGUSR1 ends that', async () => {
    const run = supervise({ start: shell(counting('exit 0')), log, restart: always });
    const { supervisor } = await until(
      'a first start',
      () => existsSync(join(run.directory, 'state.json')) && state(run),
    );
    await until('some restarts', () => lines(run) >= 4);
    expect(state(run).supervisor).toEqual(supervisor);
    run.process.kill('SIGUSR1');
    await run.exited;
    expect(run.exit()).toMatchObject({ kind: 'exited', value: 0 });
    expect(run.exit()).not.toHaveProperty('restartAt');
  });

  test('after pauses that double, which exit.json announces', async () => {
    const run = supervise({ start: shell(counting('exit 1')), log, restart: onFailure(4) });
    await run.exited;
    const times = run
      .log()
      .trim()
      .split('\n')
      .map((line) => Date.parse(line.split(' ')[0] ?? ''));
    const pauses = times.slice(1).map((time, i) => time - (times[i] ?? 0));
    for (const [i, least] of [100, 200, 400, 800].entries())
      expect(pauses[i]).toBeGreaterThanOrEqual(least - 1);
  });

  test('by no descriptor or memory of the starts before', async () => {
    const run = supervise({ start: shell(counting('exit 1')), log, restart: onFailure(0) });
    await until('a first start', () => existsSync(join(run.directory, 'state.json')));
    const paused = (): boolean =>
      lastEnd(run)?.restartAt !== undefined && !existsSync(`/proc/${state(run).init.pid}`);
    /** How many it has in a pause after so many starts, or more: a short pause may be over before it is seen. */
    const open = (least: number): { starts: number; count: number } | undefined => {
      const starts = lines(run);
      if (starts < least || !paused()) return undefined;
      const count = readdirSync(`/proc/${run.process.pid}/fd`).length;
      return paused() && lines(run) === starts ? { starts, count } : undefined;
    };
    const before = await until('a pause', () => open(1));
    const after = await until('a pause three starts later', () => open(before.starts + 3));
    expect(after.count).toBeLessThanOrEqual(before.count);
    run.process.kill('SIGUSR1');
    await run.exited;
  });

  test('also when a later start fails: that is a failure like another', async () => {
    const before = () => [
      call('supervisor', 'what the first run removes', 'openat', [AT_FDCWD, 'marker', O_CLOEXEC, 0]),
    ];
    const run = supervise({
      start: shell('rm marker; exit 1', { before }),
      files: { marker: '' },
      restart: onFailure(2),
    });
    await run.exited;
    expect(state(run).restarts).toBe(2);
    expect(run.exit()).toMatchObject({ kind: 'failed', value: 2, startedAt: state(run).startedAt });
  });

  test('and not when its first start fails: who asked for it is told', async () => {
    const run = supervise({ start: shell('', { argv: ['/no/such/command'] }), restart: always });
    expect(await run.first.message('failed')).toMatchObject({ program: 'start', errno: 2 });
    await run.exited;
    expect(run.exit()).not.toHaveProperty('restartAt');
  });
});

describe('another policy comes while it runs', () => {
  test('it holds from then on, over the starts that follow, which the spec’s would not have made', async () => {
    const script = 'echo run; test $(wc -l <runs) -ge 3 || echo run >>runs; exec sleep 1000';
    const run = supervise({ start: shell(script), files: { runs: '' }, log, restart: onFailure(1), attach });
    await run.first.message('started');
    run.first.send(policy(always));
    expect(await run.first.message('policy')).toEqual({ type: 'policy', taken: true });
    for (const count of [1, 2, 3]) {
      await until(`start ${count}`, () => lines(run) === count);
      process.kill(state(run).init.pid, 'SIGKILL');
    }
    await until('start 4', () => lines(run) === 4);
    const client = await run.connect();
    client.send(policy(undefined));
    expect(await client.message('policy')).toEqual({ type: 'policy', taken: true });
    client.send(signal(9));
    await run.exited;
    expect(lines(run)).toBe(4);
    expect(run.exit()).not.toHaveProperty('restartAt');
  });

  test('but a supervisor that had none has let go of what it would start: it says so', async () => {
    const run = supervise({ start: shell('echo run; exec sleep 1000'), log, attach });
    await run.first.message('started');
    run.first.send(policy(always));
    expect(await run.first.message('policy')).toEqual({ type: 'policy', taken: false });
    await until('its output is in the log', () => lines(run) === 1);
    run.first.send(signal(9));
    await run.exited;
    expect(lines(run)).toBe(1);
  });
});

describe('its end is wanted', () => {
  test('while it runs: it is not started again', async () => {
    const run = supervise({ start: shell('echo up; exec sleep 1000'), log, restart: always, attach });
    await run.first.message('started');
    await until('its output is in the log', () => lines(run) === 1);
    run.process.kill('SIGUSR1');
    process.kill(state(run).init.pid, 'SIGTERM');
    await run.exited;
    expect(run.exit()).toMatchObject({ kind: 'signaled', value: 15 });
    expect(lines(run)).toBe(1);
  });

  test('in the pause: at once', async () => {
    const run = supervise({ start: shell('exit 1'), restart: always });
    // After ten of them the pause is a minute: whoever waited for its end would fail here.
    await until('a pause of more than a second', () => {
      const exit = lastEnd(run);
      return exit?.restartAt !== undefined && Date.parse(exit.restartAt) - Date.parse(exit.finishedAt) > 1000;
    });
    run.process.kill('SIGUSR1');
    await run.exited;
    expect(run.exit()).toMatchObject({ kind: 'exited', value: 1 });
    expect(run.exit()).not.toHaveProperty('restartAt');
  });

  test('SIGUSR1 lets the cleanup run, SIGUSR2 does not', async () => {
    for (const signal of ['SIGUSR1', 'SIGUSR2'] as const) {
      const run = supervise({ start: shell('exec sleep 1000'), cleanup: touch('cleaned'), attach });
      await run.first.message('started');
      run.process.kill(signal);
      process.kill(state(run).init.pid, 'SIGKILL');
      await run.exited;
      expect(existsSync(join(run.directory, 'cleaned'))).toBe(signal === 'SIGUSR1');
    }
  });
});

describe('clients', () => {
  test('hear of the end that they were attached for, and are let go', async () => {
    const run = supervise({ start: shell('echo out; exit 4'), attach, restart: onFailure(1) });
    expect((await run.first.message('exit')).status).toEqual({ kind: 'exited', code: 4 });
    await run.first.end();
    expect(run.first.output('stdout').toString()).toBe('out\n');
    await run.exited;
  });

  test('that come in the pause are attached to the next start', async () => {
    const run = supervise({ start: shell('read line; echo out; exit 4'), restart: onFailure(1), attach });
    run.first.send(stdinEof());
    await run.first.end();
    const later = await run.connect();
    later.send(attachTo(attach));
    later.send(stdinEof());
    expect((await later.message('exit')).status).toEqual({ kind: 'exited', code: 4 });
    expect(later.output('stdout').toString()).toBe('out\n');
    await run.exited;
  });

  test('that read nothing hold no restart up, and lose nothing of the log', async () => {
    const run = supervise({
      start: shell('seq 72000; exit 1'),
      attach,
      log,
      restart: onFailure(1),
    });
    // More than its socket and its queue hold, less than the pipe holds besides: the container ends, its last output is still in the pipe.
    run.first.socket.pause();
    await run.exited;
    expect(state(run).restarts).toBe(1);
    const logged = loggedOutput(run.log(), 'stdout');
    expect(logged.split('\n').filter((line) => line === '72000')).toHaveLength(2);
  });
});

test('kill -9 of the supervisor: nothing comes back', async () => {
  const run = supervise({ start: shell('echo up; exec sleep 1000'), log, restart: always, attach });
  await run.first.message('started');
  const { init } = state(run);
  await until('its output is in the log', () => lines(run) === 1);
  run.process.kill('SIGKILL');
  await run.exited;
  expect(existsSync(join(run.directory, 'exit.json'))).toBe(false);
  process.kill(init.pid, 'SIGKILL'); // no PR_SET_PDEATHSIG in this start program
  expect(readFileSync(join(run.directory, 'log'), 'utf8').match(/up/g)).toHaveLength(1);
});
