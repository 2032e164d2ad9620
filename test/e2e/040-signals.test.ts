/**
 * Signals: those sent to tsrun reach the command (AC-5.4, SUP-8), those sent by `kill` and `stop` are the ones asked for, and an end by
 * force is named as one. Process 1 of a container has no default actions, which surprises many; --init gives it some.
 */
import { constants } from 'node:os';
import { describe, expect, it } from 'vitest';
import { containerPids, isRunning } from '../support/container-processes.ts';
import { BINARY, type Running, start, useTsrun } from '../support/tsrun.ts';
import { until } from '../support/until.ts';

const tsrun = useTsrun();
const IMAGE = 'localhost/busybox';
const RUN = ['run', '--rm', '--network', 'none'];

/** Numbers 1 to 31 but those that cannot be caught, are about tsrun itself (CHLD, URG), or about its own output (PIPE). */
const CLASSIC = Array.from({ length: 31 }, (_, i) => i + 1).filter(
  (number) =>
    ![9, 19, constants.signals.SIGCHLD, constants.signals.SIGURG, constants.signals.SIGPIPE].includes(number),
);

/** Says `up`, then the number of each signal that it gets. */
const TRAP = (numbers: readonly number[]): string =>
  `for n in ${numbers.join(' ')}; do trap "echo got $n" $n; done; sleep 1000 & p=$!; echo up; while :; do wait $p; done`;

/** Waits for a line of output. */
async function line({ child, ended }: Running, wanted: string): Promise<void> {
  let text = '';
  const listen = (chunk: Buffer): void => {
    text += chunk;
  };
  child.stdout?.on('data', listen);
  const over = ended.then(({ status, stderr }) => {
    throw new Error(`ended with ${status} instead of saying "${wanted}": ${text}${stderr}`);
  });
  over.catch(() => undefined);
  await Promise.race([until(`"${wanted}" in "${text}"`, () => text.split('\n').includes(wanted)), over]);
  child.stdout?.off('data', listen);
}

describe('tsrun gets a signal', () => {
  it('and passes each of the classic ones on to process 1', async () => {
    const running = tsrun.start([...RUN, '--name', 'trapping', IMAGE, 'sh', '-c', TRAP(CLASSIC)]);
    await line(running, 'up');
    for (const number of CLASSIC) {
      const heard = line(running, `got ${number}`);
      running.child.kill(number as unknown as NodeJS.Signals);
      await heard;
    }
    await tsrun.ok('kill', 'trapping');
    expect((await running.ended).status).toBe(137);
  });

  it('and passes those of job control on through --init', async () => {
    const signals = [constants.signals.SIGTSTP, constants.signals.SIGCONT, constants.signals.SIGTERM];
    const running = tsrun.start([...RUN, '--init', '--name', 'jobs', IMAGE, 'sh', '-c', TRAP(signals)]);
    await line(running, 'up');
    for (const number of signals) {
      const heard = line(running, `got ${number}`);
      running.child.kill(number as unknown as NodeJS.Signals);
      await heard;
    }
    await tsrun.ok('kill', 'jobs');
    expect((await running.ended).status).toBe(137);
  });

  it('and ends with what the command makes of it', async () => {
    const running = tsrun.start([
      ...RUN,
      IMAGE,
      'sh',
      '-c',
      'trap "exit 7" TERM; echo up; sleep 1000 & wait',
    ]);
    await line(running, 'up');
    running.child.kill('SIGTERM');
    expect((await running.ended).status).toBe(7);
  });

  it('and passes on those to exec, too', async () => {
    await tsrun.ok('run', '-d', '--network', 'none', '--name', 'host', IMAGE, 'sleep', '1000');
    const running = tsrun.start([
      'exec',
      'host',
      'sh',
      '-c',
      'trap "exit 8" HUP; echo up; sleep 1000 & wait',
    ]);
    await line(running, 'up');
    running.child.kill('SIGHUP');
    expect((await running.ended).status).toBe(8);
    expect(isRunning((await containerPids(tsrun, 'host')).init)).toBe(true);
  });

  it('and keeps it to itself with --sig-proxy=false', async () => {
    const words = ['run', '--network', 'none', '--name', 'kept', '--sig-proxy=false', IMAGE];
    const running = tsrun.start([...words, 'sh', '-c', 'trap "exit 7" TERM; echo up; sleep 1000 & wait']);
    await line(running, 'up');
    running.child.kill('SIGTERM');
    expect((await running.ended).signal).toBe('SIGTERM');
    expect(isRunning((await containerPids(tsrun, 'kept')).init)).toBe(true);
  });

  it('during a pull: it ends with 128 + the signal, and leaves no container', async () => {
    // A registry that never answers.
    const { createServer } = await import('node:net');
    const server = createServer(() => undefined).listen(0, '127.0.0.1');
    await until('it listens', () => server.listening);
    const { port } = server.address() as { port: number };
    const connected = new Promise((resolve) => server.once('connection', resolve));
    const running = tsrun.start([...RUN, '--name', 'never', `127.0.0.1:${port}/x`]);
    await connected;
    running.child.kill('SIGINT');
    expect((await running.ended).status).toBe(130);
    server.close();
    expect(await tsrun.ok('ps', '-aq', '--filter', 'name=never')).toBe('');
  });
});

describe('kill', () => {
  it('-s sends that signal, by name, by short name and by number', async () => {
    await tsrun.ok('run', '-d', '--network', 'none', '--name', 'told', IMAGE, 'sh', '-c', TRAP([1, 10, 12]));
    await until('it is up', async () => (await tsrun.ok('logs', 'told')).includes('up'));
    for (const [signal, number] of [
      ['SIGHUP', 1],
      ['usr1', 10],
      ['12', 12],
    ] as const) {
      expect(await tsrun.ok('kill', '-s', signal, 'told')).toBe('told');
      await until(signal, async () => (await tsrun.ok('logs', 'told')).includes(`got ${number}`));
    }
  });

  it('ends the container by SIGKILL without -s, which is then gone', async () => {
    await tsrun.ok('kill', 'told');
    expect(await tsrun.ok('inspect', '--format', '{{.State.Status}} {{.State.ExitCode}}', 'told')).toBe(
      'exited 137',
    );
    const { stderr } = await tsrun.expect(125, ['kill', 'told']);
    expect(stderr).toContain('told');
  });

  it('of an unknown signal is refused', async () => {
    const { stderr } = await tsrun.expect(125, ['kill', '-s', 'NOSUCH', 'told']);
    expect(stderr).toContain('NOSUCH');
  });
});

describe('stop', () => {
  it('sends SIGTERM, and waits for the end', async () => {
    const script = 'trap "sleep 0.3; exit 5" TERM; echo up; sleep 1000 & wait; sleep 1';
    await tsrun.ok('run', '-d', '--network', 'none', '--name', 'polite', IMAGE, 'sh', '-c', script);
    await until('it is up', async () => (await tsrun.ok('logs', 'polite')).includes('up'));
    const { stdout, stderr } = await tsrun.expect(0, ['stop', 'polite']);
    expect([stdout, stderr]).toEqual(['polite\n', '']);
    expect(await tsrun.ok('inspect', '--format', '{{.State.ExitCode}}', 'polite')).toBe('5');
  });

  it('kills when the time is over, and says so: 137', async () => {
    await tsrun.ok('run', '-d', '--network', 'none', '--name', 'deaf', IMAGE, 'sleep', '1000');
    const { stderr } = await tsrun.expect(0, ['stop', '-t', '1', 'deaf']);
    expect(stderr).toMatch(/deaf .*1 s .*killed/);
    expect(await tsrun.ok('inspect', '--format', '{{.State.ExitCode}}', 'deaf')).toBe('137');
  });

  it('takes the signal and the time that the container was made with', async () => {
    const words = ['run', '-d', '--network', 'none', '--stop-signal', 'USR1', '--stop-timeout'];
    await tsrun.ok(
      ...words,
      '100',
      '--name',
      'usr1',
      IMAGE,
      'sh',
      '-c',
      'trap "exit 6" USR1; echo up; sleep 1000 & wait',
    );
    await tsrun.ok(
      ...words,
      '1',
      '--name',
      'usr1-deaf',
      IMAGE,
      'sh',
      '-c',
      'trap "" USR1; echo up; sleep 1000 & wait',
    );
    for (const name of ['usr1', 'usr1-deaf']) {
      await until(`${name} is up`, async () => (await tsrun.ok('logs', name)).includes('up'));
    }
    await tsrun.ok('stop', 'usr1', 'usr1-deaf');
    const status = (name: string) => tsrun.ok('inspect', '--format', '{{.State.ExitCode}}', name);
    expect([await status('usr1'), await status('usr1-deaf')]).toEqual(['6', '137']);
  });

  it('of one that has ended is no error', async () => {
    await tsrun.ok('stop', 'deaf');
  });
});

it('^C that process 1 does not hear is explained, and kills it when the user insists', async () => {
  const running = tsrun.start([...RUN, '--name', 'unmoved', IMAGE, 'sh', '-c', 'echo up; exec sleep 1000']);
  await line(running, 'up');
  const pressing = setInterval(() => running.child.kill('SIGINT'), 200);
  const { status, stderr } = await tsrun.endOf('a run that is interrupted', running);
  clearInterval(pressing);
  expect(stderr).toMatch(
    /process 1 of its container and does not handle SIGINT.*tsrun kill unmoved.*once more within 2 s kills it/s,
  );
  expect(status).toBe(128 + constants.signals.SIGKILL);
});

describe('--init', () => {
  it('is process 1, gives the command a parent, and reaps what is left to it', async () => {
    // The orphan becomes a zombie of init's. When it is gone there are init and the shell.
    const count = 'set -- /proc/[0-9]*; [ $# -gt 2 ]';
    const wait = `n=0; while ${count} && [ $n -lt 400 ]; do n=$((n + 1)); sleep 0.1; done; echo $#`;
    const script = `cat /proc/1/comm; sh -c "sleep 0.1 &"; ${wait}; echo $$`;
    const { stdout } = await tsrun.expect(0, [...RUN, '--init', IMAGE, 'sh', '-c', script]);
    const [comm, left, own] = stdout.trim().split('\n');
    expect(comm).toMatch(/init/);
    expect(left).toBe('2');
    expect(own).not.toBe('1');
  });

  it('gives the command its default actions back: stop needs no patience', async () => {
    await tsrun.ok('run', '-d', '--init', '--network', 'none', '--name', 'prompt', IMAGE, 'sleep', '1000');
    const { stderr } = await tsrun.expect(0, ['stop', 'prompt']);
    expect(stderr).toBe('');
    expect(await tsrun.ok('inspect', '--format', '{{.State.ExitCode}}', 'prompt')).toBe('143');
  });
});

it('a signal that tsrun ignores itself is not ignored by the command', async () => {
  const ignoring = ['-c', 'trap "" TERM USR1; exec "$0" "$@"', BINARY, ...RUN, IMAGE];
  const { ended } = start('sh', [...ignoring, 'grep', 'SigIgn', '/proc/self/status'], {
    env: tsrun.store.env,
  });
  expect((await ended).stdout).toMatch(/SigIgn:\t0{16}/);
});
