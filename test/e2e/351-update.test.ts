/** `tsrun update`: other limits and another restart policy for a container that is there. Limits in force: test/with-cgroups. */
import { describe, expect, it } from 'vitest';
import { kill } from '../support/container-processes.ts';
import { useTsrun } from '../support/tsrun.ts';
import { until } from '../support/until.ts';

const tsrun = useTsrun();
const IMAGE = 'localhost/busybox';
const QUIET = ['--network', 'none'];

const field = (name: string, format: string): Promise<string> =>
  tsrun.ok('inspect', '--format', format, name);
const host = (field: string): string => `{{.HostConfig.${field}}}`;

describe('limits of a container that does not run', () => {
  it('are kept for its next start, each by itself; 0 takes one away', async () => {
    await tsrun.ok('create', '--name', 'still', ...QUIET, '-m', '64m', '--pids-limit', '20', IMAGE, 'true');
    expect(await tsrun.ok('update', '--cpus', '1.5', '--cpuset-cpus', '0', 'still')).toBe('still');
    await tsrun.ok('update', '-m', '128m', 'still');
    const seen = `${host('Memory')} ${host('MemorySwap')} ${host('PidsLimit')} ${host('NanoCpus')} ${host('CpusetCpus')}`;
    expect(await field('still', seen)).toBe(`${128 << 20} ${256 << 20} 20 1500000000 0`);
    await tsrun.ok('update', '-m', '0', '--cpus', '0', '--pids-limit', '-1', 'still');
    expect(await field('still', seen)).toBe('0 0 -1 0 0');
    await tsrun.ok('rm', 'still');
  });

  it('that contradict those that stay are refused, and nothing is changed', async () => {
    await tsrun.ok('create', '--name', 'odd', ...QUIET, '-m', '64m', '--memory-swap', '96m', IMAGE, 'true');
    const { stderr } = await tsrun.expect(125, ['update', '-m', '128m', 'odd']);
    expect(stderr).toContain('--memory-swap is memory and swap together');
    expect(await field('odd', `${host('Memory')} ${host('MemorySwap')}`)).toBe(`${64 << 20} ${96 << 20}`);
    await tsrun.ok('rm', 'odd');
  });

  it('nothing at all, and options that are not supported, are refused', async () => {
    expect((await tsrun.expect(125, ['update', 'nobody'])).stderr).toContain('nothing to change');
    expect((await tsrun.expect(125, ['update', '--blkio-weight', '100', 'nobody'])).stderr).toContain(
      '--blkio-weight',
    );
    expect((await tsrun.expect(125, ['update', '-m', '64m', 'nobody'])).stderr).toContain(
      'no container "nobody"',
    );
  });
});

describe('the health check', () => {
  const check = '{{json .Config.Healthcheck}}';
  it('of a container that does not run is what is given, option by option, and holds from its next start', async () => {
    const often = ['--health-interval', '50ms', '--health-retries', '1'];
    await tsrun.ok(
      'create',
      '--name',
      'ill',
      ...QUIET,
      '--health-cmd',
      'true',
      ...often,
      IMAGE,
      'sleep',
      '1000',
    );
    await tsrun.ok('update', '--health-cmd', 'echo no; false', '--health-on-failure', 'none', 'ill');
    expect(JSON.parse(await field('ill', check))).toMatchObject({
      Test: ['CMD-SHELL', 'echo no; false'],
      Interval: 50_000_000,
      Retries: 1,
    });
    await tsrun.ok('start', 'ill');
    await until(
      'it is unhealthy',
      async () => (await field('ill', '{{.State.Health.Status}}')) === 'unhealthy',
    );
    const { stderr } = await tsrun.expect(0, ['update', '--no-healthcheck', 'ill']);
    expect(stderr).toContain('holds from its next start');
    await tsrun.ok('restart', '-t', '0', 'ill');
    expect((await tsrun.expect(125, ['healthcheck', 'run', 'ill'])).stderr).toContain('health check');
    const refused = await tsrun.expect(125, ['update', '--health-retries', '2', 'ill']);
    expect(refused.stderr).toContain('the container has no check');
    await tsrun.ok('rm', '-f', '-t', '0', 'ill');
  });
});

describe('the restart policy', () => {
  it('of a running container holds at once where it had one, in both directions', async () => {
    await tsrun.ok(
      'run',
      '-d',
      '--name',
      'kept',
      ...QUIET,
      '--restart',
      'on-failure:1',
      IMAGE,
      'sleep',
      '1000',
    );
    await tsrun.ok('update', '--restart', 'always', 'kept');
    expect(await field('kept', host('RestartPolicy.Name'))).toBe('always');
    for (const count of [1, 2]) {
      kill(Number(await field('kept', '{{.State.Pid}}')));
      const again = `running ${count}`;
      await until(again, async () => (await field('kept', '{{.State.Status}} {{.RestartCount}}')) === again);
    }
    expect((await tsrun.expect(0, ['update', '--restart', 'no', 'kept'])).stderr).toBe('');
    kill(Number(await field('kept', '{{.State.Pid}}')));
    await until('its end', async () => (await field('kept', '{{.State.Status}}')) === 'exited');
    await tsrun.ok('rm', 'kept');
  });

  it('of one that waits for its next start: none, and it waits no more', async () => {
    await tsrun.ok('run', '-d', '--name', 'loop', ...QUIET, '--restart', 'always', IMAGE, 'false');
    // The pauses double each time: one is soon longer than it takes to look and to say so.
    const pause = async (): Promise<boolean> => {
      const [status, count] = (await field('loop', '{{.State.Status}} {{.RestartCount}}')).split(' ');
      return status === 'restarting' && Number(count) >= 6;
    };
    await until('a long pause', pause);
    await tsrun.ok('update', '--restart', 'no', 'loop');
    await until('its end', async () => (await field('loop', '{{.State.Status}}')) === 'exited');
    await tsrun.ok('rm', 'loop');
  });

  it('of a running container that had none holds from its next start, and that is said', async () => {
    await tsrun.ok('run', '-d', '--name', 'plain', ...QUIET, IMAGE, 'sleep', '1000');
    const { stderr } = await tsrun.expect(0, ['update', '--restart', 'always', 'plain']);
    expect(stderr).toMatch(/^tsrun: warning: .*plain.*from its next start.*tsrun restart plain/);
    await tsrun.ok('restart', '-t', '0', 'plain');
    kill(Number(await field('plain', '{{.State.Pid}}')));
    await until('a restart', async () => (await field('plain', '{{.RestartCount}}')) === '1');
    await tsrun.ok('rm', '-f', 'plain');
  });

  it('and --rm contradict each other', async () => {
    await tsrun.ok('run', '-d', '--rm', '--name', 'gone', ...QUIET, IMAGE, 'sleep', '1000');
    expect((await tsrun.expect(125, ['update', '--restart', 'always', 'gone'])).stderr).toContain('--rm');
    await tsrun.ok('rm', '-f', 'gone');
  });
});
