/** Limits that the kernel enforces, in a cgroup that is this user's (src/setup/cgroups.sh). */
import { existsSync, readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { cgroupPlaces, thisHost } from '../../src/launch/cgroup/places.ts';
import { useTsrun } from '../support/tsrun.ts';
import { until } from '../support/until.ts';

const tsrun = useTsrun();
const IMAGE = 'localhost/busybox';
const QUIET = ['--network', 'none'];

it('runs in a cgroup of this user', () => {
  const controllers = cgroupPlaces(thisHost(), ['memory', 'cpu', 'pids']).flatMap(
    (place) => place.controllers,
  );
  expect(controllers).toEqual(expect.arrayContaining(['memory', 'cpu', 'pids']));
});

it('what uses more memory is killed, and inspect says why', async () => {
  const words = ['run', '--name', 'fat', '--network', 'none', '-m', '32m', IMAGE, 'tail', '/dev/zero'];
  expect((await tsrun.expect(137, words)).stderr).toBe('');
  expect(await tsrun.ok('inspect', '--format', '{{.State.OOMKilled}} {{.State.ExitCode}}', 'fat')).toBe(
    'true 137',
  );
  await tsrun.ok('rm', 'fat');
});

it('no more processes than allowed, counted with those of exec; and no cgroup is left behind', async () => {
  await tsrun.ok(
    'run',
    '-d',
    '--name',
    'few',
    '--network',
    'none',
    '--pids-limit',
    '8',
    IMAGE,
    'sleep',
    '1000',
  );
  const loop = 'for i in 1 2 3 4 5 6 7 8 9; do sleep 100 & done';
  expect((await tsrun.run(['exec', 'few', 'sh', '-c', loop])).stderr).toMatch(/can't fork/);
  const id = await tsrun.ok('inspect', '--format', '{{.Id}}', 'few');
  await tsrun.ok('rm', '-f', 'few');
  for (const { directory } of cgroupPlaces(thisHost(), ['memory', 'pids'])) {
    expect(existsSync(directory)).toBe(true);
    expect(readdirSync(directory)).not.toContain(`tsrun-${id}`);
  }
});

it('what is started again after such an end is counted, and says so too', async () => {
  const words = [
    'run',
    '-d',
    '--name',
    'again',
    ...QUIET,
    '-m',
    '32m',
    '--restart',
    'on-failure:2',
    IMAGE,
    'tail',
    '/dev/zero',
  ];
  await tsrun.ok(...words);
  const format = '{{.State.Status}} {{.RestartCount}} {{.State.OOMKilled}} {{.State.ExitCode}}';
  const look = async () => (await tsrun.ok('inspect', '--format', format, 'again')) === 'exited 2 true 137';
  await until('two more starts and their ends', look);
  await tsrun.ok('rm', 'again');
});

it('a limit that the kernel does not take is named, and leaves no cgroup', async () => {
  const words = ['run', '--rm', ...QUIET, '--cpu-quota', '500', IMAGE, 'true'];
  const { stderr } = await tsrun.expect(125, words);
  expect(stderr).toMatch(/a step failed: limit cpu: cpu\.(max = 500 100000|cfs_quota_us = 500)$/m);
  expect(stderr).toMatch(/^cause: .*EINVAL/m);
  for (const { directory } of cgroupPlaces(thisHost(), ['cpu'])) {
    expect(readdirSync(directory).filter((name) => /^tsrun-[0-9a-f]{64}$/.test(name))).toEqual([]);
  }
});
