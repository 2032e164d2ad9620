/**
 * Health checks (SUP-11), run by the container's own supervisor: no systemd, no daemon, no tsrun in between.
 */
import { describe, expect, it } from 'vitest';
import { pushDerived } from '../support/derived-image.ts';
import { startRegistry } from '../support/registry.ts';
import { useTsrun } from '../support/tsrun.ts';
import { until } from '../support/until.ts';

const tsrun = useTsrun();
const IMAGE = 'localhost/busybox';
const RUN = ['run', '-d', '--network', 'none', '--init'];
const OFTEN = ['--health-interval', '100ms'];

interface Health {
  Status: string;
  FailingStreak: number;
  Log: { Start: string; End: string; ExitCode: number; Output: string }[];
}

const health = async (name: string): Promise<Health> =>
  JSON.parse(await tsrun.ok('inspect', '--format', '{{json .State.Health}}', name)) as Health;
const becomes = (name: string, status: string): Promise<Health> =>
  until(`${name} is ${status}`, async () => {
    const now = await health(name);
    return now.Status === status && now;
  });
const status = (name: string): Promise<string> =>
  tsrun.ok('ps', '-a', '--filter', `name=${name}`, '--format', '{{.Status}}');
const inspect = (name: string, format: string): Promise<string> =>
  tsrun.ok('inspect', '--format', format, name);

describe('a container’s health', () => {
  it('is starting, healthy, unhealthy, and healthy again, as its check says', async () => {
    const check = 'echo looking; test -e /tmp/well';
    await tsrun.ok(
      ...RUN,
      ...OFTEN,
      '--name',
      'web',
      '--health-cmd',
      check,
      '--health-start-period',
      '1000s',
      '--health-start-interval',
      '100ms',
      IMAGE,
      'sleep',
      '1000',
    );
    expect(await status('web')).toMatch(/^Up .* \(health: starting\)$/);
    // In the start period a failure is logged, and does not count.
    await until('some checks failed', async () => (await health('web')).Log.length >= 3);
    expect(await health('web')).toMatchObject({ Status: 'starting', FailingStreak: 0 });
    await tsrun.ok('exec', 'web', 'touch', '/tmp/well');
    await becomes('web', 'healthy');
    expect(await status('web')).toMatch(/^Up .* \(healthy\)$/);
    expect(await tsrun.ok('ps', '--filter', 'health=healthy', '--format', '{{.Names}}')).toBe('web');
    expect(await tsrun.ok('ps', '--filter', 'health=starting', '--format', '{{.Names}}')).toBe('');
    await tsrun.ok('exec', 'web', 'rm', '/tmp/well');
    const ill = await becomes('web', 'unhealthy');
    expect(ill.FailingStreak).toBeGreaterThanOrEqual(3);
    await tsrun.ok('exec', 'web', 'touch', '/tmp/well');
    await becomes('web', 'healthy');
    const { Log } = await until('five checks', async () => {
      const now = await health('web');
      return now.Log.length === 5 && now.Log.every(({ ExitCode }) => ExitCode === 0) && now;
    });
    for (const { Start, End, Output } of Log) {
      expect(Output).toBe('looking\n');
      expect(Date.parse(End)).toBeGreaterThanOrEqual(Date.parse(Start));
    }
    expect(Log.map(({ Start }) => Start)).toEqual(Log.map(({ Start }) => Start).sort());
    await tsrun.ok('rm', '-f', 'web');
  });

  it('is checked as the container’s user, in its directory and its environment', async () => {
    const check =
      'id -u; pwd; echo $COLOUR; printf "\\"q\\" \\\\\\\\ \\001\\n"; grep -c ^Seccomp:.2 /proc/self/status; ls /proc/self/fd | wc -l';
    await tsrun.ok(
      ...RUN,
      ...OFTEN,
      '--name',
      'me',
      '-u',
      '1000',
      '-w',
      '/tmp',
      '-e',
      'COLOUR=blue',
      '--health-cmd',
      check,
      IMAGE,
      'sleep',
      '1000',
    );
    const { Log } = await becomes('me', 'healthy');
    expect(Log[0]?.Output.split('\n').slice(0, 3)).toEqual(['1000', '/tmp', 'blue']);
    expect(Log[0]?.Output).toContain('"q" \\ \u0001\n1\n');
    await tsrun.ok('rm', '-f', 'me');
  });

  it('a check that takes too long is killed, and has failed; one that cannot be executed has, too', async () => {
    await tsrun.ok(
      ...RUN,
      ...OFTEN,
      '--name',
      'slow',
      '--health-cmd',
      'echo begun; sleep 1000',
      '--health-timeout',
      '300ms',
      '--health-retries',
      '1',
      IMAGE,
      'sleep',
      '1000',
    );
    await becomes('slow', 'unhealthy');
    // One of them at least has had the time to say so.
    const begun = await until('a check that has begun', async () =>
      (await health('slow')).Log.find(({ Output }) => Output !== ''),
    );
    expect(begun).toMatchObject({ ExitCode: -1, Output: 'begun\n' });
    await until(
      'the sleeping check is gone',
      async () => !(await tsrun.ok('exec', 'slow', 'ps')).includes('begun'),
    );
    await tsrun.ok(
      ...RUN,
      ...OFTEN,
      '--name',
      'none',
      '--health-cmd',
      '["/no/such"]',
      '--health-retries',
      '1',
      IMAGE,
      'sleep',
      '1000',
    );
    expect((await becomes('none', 'unhealthy')).Log[0]).toMatchObject({ ExitCode: 127 });
    await tsrun.ok('rm', '-f', 'slow', 'none');
  });

  it('is not checked while it is paused', async () => {
    await tsrun.ok(...RUN, ...OFTEN, '--name', 'held', '--health-cmd', 'true', IMAGE, 'sleep', '1000');
    await becomes('held', 'healthy');
    await tsrun.ok('pause', 'held');
    const last = async () => (await health('held')).Log.at(-1)?.Start;
    // One may have been on its way.
    const before = await until('none is on its way', async () => {
      const start = await last();
      await new Promise((resolve) => setTimeout(resolve, 300));
      return start === (await last()) && start;
    });
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await last()).toBe(before);
    await tsrun.ok('unpause', 'held');
    await until('it is checked again', async () => (await last()) !== before);
    await tsrun.ok('rm', '-f', 'held');
  });
});

describe('--health-on-failure', () => {
  const options = (check: string) => ['--health-cmd', check, '--health-retries', '2', ...OFTEN];
  const checks = options('false');
  const script = 'trap "exit 3" TERM; : >/tmp/up; while :; do sleep 0.05; done';
  /** Starts a container, named after what is to be done with it, that is not healthy once it hears SIGTERM, which process 1 must do by itself. */
  const failing = (action: string, ...more: string[]) => {
    const words = ['run', '-d', '--network', 'none', '--name', action, '--health-on-failure', action];
    return tsrun.ok(...words, ...options('test ! -e /tmp/up'), ...more, IMAGE, 'sh', '-c', script);
  };

  it('kill: SIGKILL, and the restart policy says what comes then', async () => {
    await failing('kill', '--restart', 'on-failure:1');
    await until('it is over', async () => (await status('kill')).startsWith('Exited'));
    expect(await inspect('kill', '{{.State.ExitCode}} {{.RestartCount}}')).toBe('137 1');
  });

  it('stop: its stop signal, and no restart whatever the policy', async () => {
    await failing('stop', '--restart', 'always');
    await until('it is over', async () => (await status('stop')).startsWith('Exited'));
    expect(await inspect('stop', '{{.State.ExitCode}} {{.RestartCount}}')).toBe('3 0');
  });

  it('restart: whatever the policy; killed when it does not end in time', async () => {
    await tsrun.ok(
      'run',
      '-d',
      '--network',
      'none',
      '--name',
      'restart',
      ...checks,
      '--health-on-failure',
      'restart',
      '--stop-timeout',
      '0',
      IMAGE,
      'sleep',
      '1000',
    );
    await until('it was restarted', async () => Number(await inspect('restart', '{{.RestartCount}}')) >= 2);
    await tsrun.ok('stop', 'restart');
    expect(await status('restart')).toMatch(/^Exited \(137\)/);
  });
});

describe('the image’s HEALTHCHECK', () => {
  it('is run, and options replace parts of it; --no-healthcheck and --health-cmd none all of it', async () => {
    await using registry = await startRegistry();
    const checked = await pushDerived(registry.host, 'checked', [], {
      Healthcheck: { Test: ['CMD-SHELL', 'echo image'], Interval: 100_000_000, Retries: 7 },
    });
    await tsrun.ok(...RUN, '--name', 'plain', checked, 'sleep', '1000');
    expect((await becomes('plain', 'healthy')).Log[0]?.Output).toBe('image\n');
    expect(await inspect('plain', '{{json .Config.Healthcheck.Test}} {{.Config.Healthcheck.Retries}}')).toBe(
      '["CMD-SHELL","echo image"] 7',
    );
    await tsrun.ok(...RUN, '--name', 'other', '--health-cmd', 'echo mine', checked, 'sleep', '1000');
    expect((await becomes('other', 'healthy')).Log[0]?.Output).toBe('mine\n');
    for (const [i, words] of [['--no-healthcheck'], ['--health-cmd', 'none']].entries()) {
      await tsrun.ok(...RUN, '--name', `un${i}`, ...words, checked, 'sleep', '1000');
      expect(await status(`un${i}`)).toMatch(/^Up [^(]*$/);
      await tsrun.expect(125, ['healthcheck', 'run', `un${i}`]);
    }
    await tsrun.ok('rm', '-f', 'plain', 'other', 'un0', 'un1');
  });
});

describe('tsrun healthcheck run', () => {
  it('runs the check now; the exit status tells', async () => {
    await tsrun.ok(
      ...RUN,
      '--name',
      'asked',
      '--health-interval',
      'disable',
      '--health-cmd',
      'test -e /tmp/well',
      IMAGE,
      'sleep',
      '1000',
    );
    expect((await tsrun.expect(1, ['healthcheck', 'run', 'asked'])).stdout).toBe('unhealthy\n');
    expect((await health('asked')).FailingStreak).toBe(1);
    await tsrun.ok('exec', 'asked', 'touch', '/tmp/well');
    expect((await tsrun.expect(0, ['healthcheck', 'run', 'asked'])).stdout).toBe('');
    expect(await health('asked')).toMatchObject({ Status: 'healthy', FailingStreak: 0 });
    await tsrun.ok('stop', 'asked');
    const { stderr } = await tsrun.expect(125, ['healthcheck', 'run', 'asked']);
    expect(stderr).toContain('container asked is exited, not running');
    await tsrun.ok('rm', 'asked');
  });
});

it('options that say nothing are refused', async () => {
  for (const words of [
    ['--health-interval', '5s'],
    ['--health-cmd', 'true', '--no-healthcheck'],
    ['--health-cmd', 'true', '--health-interval', 'often'],
    ['--health-cmd', '["true"', 'x'],
    ['--health-cmd', 'true', '--health-on-failure', 'pray'],
  ])
    await tsrun.expect(125, ['run', '--rm', '--network', 'none', ...words, IMAGE, 'true']);
});

it('--timeout kills what runs too long', async () => {
  const { status: code } = await tsrun.run([
    'run',
    '--rm',
    '--network',
    'none',
    '--timeout',
    '1',
    IMAGE,
    'sleep',
    '1000',
  ]);
  expect(code).toBe(137);
  await tsrun.ok('run', '--rm', '--network', 'none', '--timeout', '100', IMAGE, 'true');
});
