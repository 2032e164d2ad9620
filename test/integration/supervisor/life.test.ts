/** Start, exit status, failures, records: the supervisor without streams. */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { attach as attachTo, signal, stdinEof } from '../../../src/supervisor/messages.ts';
import { SLOT_HELPERS } from '../../../src/supervisor/protocol.ts';
import { call, close, op, pipe } from '../../../src/sys/calls.ts';
import { O_CLOEXEC } from '../../../src/sys/constants.ts';
import { encodeProgram } from '../../../src/sys/encode.ts';
import { startTimeOf } from '../../../src/sys/process.ts';
import { type Program, Slot, Slots } from '../../../src/sys/step.ts';
import { adopt, shell, touch, waitForInit } from '../../support/shell-program.ts';
import { supervise } from '../../support/supervisor-harness.ts';

const attach = { stdin: true, stdout: true, stderr: true };

describe('exit', () => {
  test.each([0, 1, 3, 125, 126, 127, 255])('status %i', async (status) => {
    const run = supervise({ start: shell(`exit ${status}`), attach });
    expect((await run.first.message('exit')).status).toEqual({ kind: 'exited', code: status });
    expect(await run.exited).toBe(status);
    expect(run.exit()).toMatchObject({ kind: 'exited', value: status, oomKilled: false, logDroppedBytes: 0 });
  });

  test.each([1, 6, 9, 11, 15])('signal %i', async (number) => {
    const run = supervise({ start: shell(`kill -${number} $$`), attach });
    expect((await run.first.message('exit')).status).toEqual({ kind: 'signaled', signal: number });
    expect(await run.exited).toBe(128 + number);
    expect(run.exit()).toMatchObject({ kind: 'signaled', value: number });
  });

  test('of a process whose status nobody can know is unknown, not 0', async () => {
    const stranger = spawn('sleep', ['1000'], { detached: true });
    const run = supervise({ start: adopt(stranger.pid ?? 0), attach });
    await run.first.message('started');
    stranger.kill('SIGKILL');
    expect((await run.first.message('exit')).status).toEqual({ kind: 'unknown' });
    expect(run.exit()).toMatchObject({ kind: 'unknown', value: 0 });
  });

  test('is told to every client, attached or not', async () => {
    const run = supervise({ start: shell('read line; exit 5'), attach });
    const later = await run.connect();
    await run.first.message('started');
    later.send(signal(10));
    for (const client of [run.first, later]) {
      expect((await client.message('exit')).status).toEqual({ kind: 'signaled', signal: 10 });
    }
  });

  test('times are RFC 3339 in UTC with nanoseconds, and in order', async () => {
    const before = Date.now();
    const run = supervise({ start: shell('exit 0') });
    await run.exited;
    const { startedAt, finishedAt } = run.exit();
    for (const time of [startedAt, finishedAt])
      expect(time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/);
    expect(startedAt <= finishedAt).toBe(true);
    expect(Date.parse(startedAt)).toBeGreaterThanOrEqual(before);
    expect(Date.parse(finishedAt)).toBeLessThanOrEqual(Date.now());
  });
});

describe('state.json', () => {
  test('pins supervisor and init, and is there before the command', async () => {
    const run = supervise({ start: shell('cat state.json; read line'), attach, bootId: 'a-b' });
    const { pid } = await run.first.message('started');
    await run.first.until(() => run.first.output('stdout').includes('\n'));
    const state = JSON.parse(run.first.output('stdout').toString());
    const self = run.process.pid ?? 0;
    expect(state).toMatchObject({
      bootId: 'a-b',
      supervisor: { pid: self, startTime: startTimeOf(self) },
      init: { pid, startTime: startTimeOf(pid) },
    });
    run.first.send(signal(9));
    await run.exited;
    expect(state.startedAt).toBe(run.exit().startedAt);
    expect(readdirSync(run.directory).sort()).toEqual(['attach', 'exit.json', 'spec', 'state.json']);
  });
});

/** What the failed step of `start` is for. */
const failedStep = (start: Program, op: number | undefined): string | undefined =>
  encodeProgram(start).stepOf[op ?? -1]?.why;

describe('what does not start', () => {
  test('a command that is not there: the failed step is named', async () => {
    const start = shell('', { argv: ['/does/not/exist'] });
    const run = supervise({ start, attach });
    const failed = await run.first.message('failed');
    expect(failed).toMatchObject({ program: 'start', errno: 2, words: '' });
    expect(failedStep(start, failed.op)).toBe('the command');
    await run.first.end();
    expect(run.first.messages.map(({ type }) => type)).toEqual(['failed']);
    expect(run.exit()).toMatchObject({ kind: 'failed', value: 2, op: failed.op });
  });

  test('a directory as the command', async () => {
    const run = supervise({ start: shell('', { argv: ['/etc'] }), attach });
    expect(await run.first.message('failed')).toMatchObject({ errno: 13 });
  });

  test('a step of the supervisor fails: it is told, the init is ended, the cleanup is done', async () => {
    const wrong = call('supervisor', 'go wrong', 'chdir', ['/does/not/exist']);
    const start = shell('echo ran >ran', { after: () => [wrong] });
    const run = supervise({ start, cleanup: touch('cleaned'), attach });
    const failed = await run.first.message('failed');
    expect(failed.errno).toBe(2);
    expect(failedStep(start, failed.op)).toBe('go wrong');
    await run.exited;
    expect(readdirSync(run.directory).sort()).toEqual(['attach', 'cleaned', 'exit.json', 'spec']);
  });

  test('a step of the init fails, and then one of the supervisor that needed it: the init’s is told', async () => {
    const cause = call('container', 'the cause', 'chdir', ['/does/not/exist']);
    const start = shell('', {
      inside: () => [cause],
      after: (slots) => [
        waitForInit(),
        op('supervisor', 'the consequence', {
          kind: 'expect',
          value: slots.new('x'),
          equals: 77,
          errno: 'EIO',
        }),
      ],
    });
    const failed = await supervise({ start, attach }).first.message('failed');
    expect(failedStep(start, failed.op)).toBe('the cause');
    expect(failed.errno).toBe(2);
  });

  test('an init that is killed before it was let go has run no command: it did not start', async () => {
    const start = shell('echo ran >ran', {
      inside: (slots) => {
        const self = slots.new('self');
        return [
          call('container', 'who am I?', 'getpid', [], { result: self }),
          call('container', 'be killed, as for want of memory', 'kill', [self, 9]),
        ];
      },
    });
    const run = supervise({ start, attach });
    expect(await run.first.message('failed')).toMatchObject({ op: undefined, errno: 10 });
    await run.exited;
    expect(run.exit().kind).toBe('failed');
    expect(readdirSync(run.directory)).not.toContain('ran');
  });

  test('a helper’s words come with the failure', async () => {
    const helpers = new Slot(SLOT_HELPERS, 'helpers.r');
    const start = shell('', {
      after: (slots) => {
        const write = slots.new('helpers.w');
        return [
          pipe('supervisor', 'what helpers say', helpers, write, O_CLOEXEC),
          call('supervisor', 'say it', 'write', [write, 'no such tunnel', 14]),
          call('supervisor', 'go wrong', 'chdir', ['/does/not/exist']),
        ];
      },
    });
    expect(await supervise({ start, attach }).first.message('failed')).toMatchObject({
      words: 'no such tunnel',
    });
  });

  test('what a helper says later is in helpers.log', async () => {
    const helpers = new Slot(SLOT_HELPERS, 'helpers.r');
    const write = (slots: Slots): Slot => (helper ??= slots.new('helpers.w'));
    let helper: Slot | undefined;
    const start = shell('echo tunnel lost >&2', {
      before: (slots) => [pipe('supervisor', 'what helpers say', helpers, write(slots), O_CLOEXEC)],
      inside: (slots) => [call('container', 'play the helper', 'dup3', [write(slots), 2, 0])],
      after: (slots) => [close('supervisor', 'only helpers write', write(slots))],
    });
    const run = supervise({ start, attach });
    await run.exited;
    expect(run.file('helpers.log')).toBe('tunnel lost\n');
  });

  test('a program that is none', async () => {
    const run = supervise({ start: Buffer.alloc(64), attach });
    expect(await run.first.message('failed')).toMatchObject({ op: undefined, errno: 22 });
    await run.first.end();
  });

  test('the client hung up before the command could run: it does not, nothing is left, the cleanup is done', async () => {
    const start = shell('echo ran >ran');
    const run = supervise({ start, cleanup: touch('cleaned'), attach, hungUp: true });
    await run.exited;
    expect(readdirSync(run.directory).sort()).toEqual(['attach', 'cleaned', 'exit.json', 'spec']);
    expect(run.exit().kind).toBe('failed');
  });
});

describe('what is left', () => {
  test('orphans and helpers are ended with the init, those that refuse too', async () => {
    const script = `
      (setsid sh -c 'echo $$; : >one; exec sleep 1000' &)
      (trap '' TERM; setsid sh -c 'echo $$; : >two; while :; do sleep 1000; done' >&2 &)
      until [ -e one ] && [ -e two ]; do sleep 0.02; done; exit 4`;
    const run = supervise({ start: shell(script), attach });
    expect((await run.first.message('exit')).status).toEqual({ kind: 'exited', code: 4 });
    const pids = [run.first.output('stdout'), run.first.output('stderr')].map(Number);
    for (const pid of pids) {
      expect(pid).toBeGreaterThan(1);
      expect(existsSync(`/proc/${pid}`)).toBe(false);
    }
  });

  test('orphans are reaped while the container runs', async () => {
    const script = `(sh -c 'echo $$' &); while read -r line; do :; done`;
    const run = supervise({ start: shell(script), attach });
    await run.first.until(() => run.first.output('stdout').includes('\n'));
    const orphan = Number(run.first.output('stdout'));
    while (existsSync(`/proc/${orphan}`)) await new Promise((resolve) => setTimeout(resolve, 5));
    run.first.send(stdinEof());
    await run.first.message('exit');
  });

  test('a failed cleanup is told and recorded, the exit status stays', async () => {
    const cleanup = {
      slots: new Slots(),
      steps: [call('supervisor', 'clean', 'chdir', ['/does/not/exist'])],
    };
    const run = supervise({ start: shell('exit 3'), cleanup, attach });
    expect((await run.first.message('exit')).status).toEqual({ kind: 'exited', code: 3 });
    const told = run.first.messages.find(({ type }) => type === 'failed');
    expect(told).toMatchObject({ program: 'cleanup', op: 0, errno: 2 });
    expect(run.exit()).toMatchObject({ kind: 'exited', value: 3, cleanup: { op: 0, errno: 2 } });
  });

  test('signals that end other programs do not end the supervisor, and reach the command unignored', async () => {
    const run = supervise({
      start: shell('grep -E "^Sig(Blk|Ign)" /proc/self/status; read line; exit 6'),
      attach,
    });
    await run.first.until(() => run.first.output('stdout').includes('SigIgn'));
    expect(run.first.output('stdout').toString()).toMatch(/^SigBlk:\t0+\nSigIgn:\t0+\n$/);
    for (const number of ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGPIPE', 'SIGUSR1'] as const) {
      run.process.kill(number);
    }
    run.first.send(stdinEof());
    expect((await run.first.message('exit')).status).toEqual({ kind: 'exited', code: 6 });
  });

  test('killOrphan: without its client the command ends', async () => {
    const run = supervise({ start: shell('sleep 1000'), attach, killOrphan: true });
    await run.first.message('started');
    run.first.socket.destroy();
    await run.exited;
    expect(run.exit()).toMatchObject({ kind: 'signaled', value: 9 });
  });

  test('without killOrphan it goes on', async () => {
    const run = supervise({ start: shell('read line; exit 8'), attach });
    await run.first.message('started');
    run.first.socket.destroy();
    const later = await run.connect();
    later.send(attachTo(attach));
    later.send(stdinEof());
    expect((await later.message('exit')).status).toEqual({ kind: 'exited', code: 8 });
  });
});

test.skipIf(process.env.TSRUN_TEST_SUPERVISOR)('an idle supervisor takes less than 100 KiB', async () => {
  const run = supervise({
    start: shell('head -c 3000000 /dev/zero; read line'),
    attach,
    log: { name: 'log', maxBytes: 0, files: 1 },
  });
  await run.first.until(() => run.first.output('stdout').length === 3_000_000);
  const pss = (): number =>
    Number(/^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${run.process.pid}/smaps_rollup`, 'utf8'))?.[1]);
  while (pss() > 100) await new Promise((resolve) => setTimeout(resolve, 100)); // memory is given back after a quiet second
  run.first.send(stdinEof());
  await run.first.message('exit');
});
