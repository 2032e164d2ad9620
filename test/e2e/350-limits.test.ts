/**
 * Limits (SEC-7, SEC-8, AC-1.4): where this user has no cgroup the container starts all the same, and one line names what is missing. Where
 * there is one, the kernel enforces them: test/with-cgroups.
 */
import { describe, expect, it } from 'vitest';
import { cgroupPlaces, thisHost } from '../../src/launch/cgroup/places.ts';
import { useTsrun, warnings } from '../support/tsrun.ts';

const tsrun = useTsrun();
const IMAGE = 'localhost/busybox';
const RUN = ['run', '--rm', '--network', 'none'];

/** Are these controllers this user's, where the tests run? */
const has = (...wanted: ('memory' | 'pids')[]): boolean => {
  const places = cgroupPlaces(thisHost(), wanted);
  return wanted.every((name) => places.some((place) => place.controllers.includes(name)));
};

describe.skipIf(has('memory'))('without delegated controllers', () => {
  it('the container starts, with exactly one warning that names them and the drop-in', async () => {
    const words = [...RUN, '-m', '64m', '--cpus', '1', '--pids-limit', '50', IMAGE, 'echo', 'started'];
    const { stdout, stderr } = await tsrun.expect(0, words);
    expect(stdout).toBe('started\n');
    expect(stderr.trim().split('\n')).toEqual([
      expect.stringMatching(/^tsrun: warning: .*memory.*Delegate=/),
    ]);
  });

  it('--cgroups required is an error with a remedy, and leaves nothing', async () => {
    const { stderr } = await tsrun.expect(125, [...RUN, '--cgroups', 'required', '-m', '64m', IMAGE, 'true']);
    expect(stderr).toMatch(/--cgroups=required: the cgroup controllers? .*memory/);
    expect(stderr).toMatch(/^hint: .*Delegate=/m);
    expect(await tsrun.ok('ps', '-aq')).toBe('');
  });

  it('nothing is said when no limit is asked for', async () => {
    expect((await tsrun.expect(0, [...RUN, IMAGE, 'true'])).stderr).toBe('');
  });
});

describe('limits', () => {
  it('are in inspect under docker’s names', async () => {
    const limits = ['-m', '64m', '--cpus', '1.5', '--pids-limit', '20', '--cpuset-cpus', '0', '-c', '512'];
    await tsrun.ok('create', '--name', 'limited', '--network', 'none', ...limits, IMAGE, 'true');
    const [{ HostConfig }] = JSON.parse(await tsrun.ok('inspect', 'limited'));
    expect(HostConfig).toMatchObject({
      Memory: 64 << 20,
      MemorySwap: 128 << 20,
      NanoCpus: 1_500_000_000,
      PidsLimit: 20,
      CpusetCpus: '0',
      CpuShares: 512,
    });
    await tsrun.ok('rm', 'limited');
  });

  it('the score for the kernel’s choice whom to kill is set; a lower one than ours is root’s, and said', async () => {
    const score = (value: string) =>
      tsrun.expect(0, [...RUN, '--oom-score-adj', value, IMAGE, 'cat', '/proc/self/oom_score_adj']);
    expect((await score('700')).stdout).toBe('700\n');
    const low = await score('-1000');
    expect(low.stdout).not.toBe('-1000\n');
    expect(warnings(low.stderr)).toEqual([expect.stringContaining('--oom-score-adj -1000')]);
  });
});
