/** Limits that the kernel enforces, in a cgroup that is this user's (src/setup/cgroups.sh). */
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { cgroupPlaces, thisHost } from '../../src/launch/cgroup/places.ts';
import { containerPids, isRunning, kill } from '../support/container-processes.ts';
import { useTsrun } from '../support/tsrun.ts';
import { until } from '../support/until.ts';

const tsrun = useTsrun();
const IMAGE = 'localhost/busybox';
const QUIET = ['--network', 'none'];
const LIMITED = [...QUIET, '--pids-limit', '8', IMAGE, 'sleep', '1000'];

/** The directories of a container's own cgroups, of which there is one at least. */
async function cgroupsOf(name: string): Promise<string[]> {
  const id = await tsrun.ok('inspect', '--format', '{{.Id}}', name);
  const own = cgroupPlaces(thisHost(), ['pids']).map(({ directory }) => `${directory}/tsrun-${id}`);
  const there = own.filter((directory) => existsSync(directory));
  expect(there).not.toEqual([]);
  return there;
}

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
  // Its cgroup goes with its end. Once that was told as the container's own removal.
  const told = await tsrun.ok('events', '--stream=false', '--since', '1h', '--filter', 'container=fat');
  expect(told).toMatch(/ died /);
  expect(told).not.toMatch(/ remove /);
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

it('rm removes what a killed supervisor has left, and cgroups below it', async () => {
  await tsrun.ok('run', '-d', '--name', 'orphan', ...LIMITED);
  const left = await cgroupsOf('orphan');
  for (const directory of left) mkdirSync(`${directory}/below/further`, { recursive: true });
  const { init, supervisor } = await containerPids(tsrun, 'orphan');
  kill(supervisor);
  await until('the container has ended with it', () => !isRunning(init));
  await tsrun.ok('rm', 'orphan');
  expect(left.filter((directory) => existsSync(directory))).toEqual([]);
});

/** They were left behind: the supervisor, which removes a --rm container, knew but one rmdir. */
it('a container that goes with its end takes the cgroups with it that were made below its own', async () => {
  await tsrun.ok('run', '-d', '--rm', '--name', 'gone', ...LIMITED);
  const there = await cgroupsOf('gone');
  for (const directory of there)
    for (const below of ['one/further', 'two']) mkdirSync(`${directory}/${below}`, { recursive: true });
  await tsrun.ok('rm', '-f', 'gone');
  expect(there.filter((directory) => existsSync(directory))).toEqual([]);
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

/** What the container’s cgroup says, read from outside: v2’s or v1’s file. */
const inForce = async (name: string, ...files: string[]): Promise<string> => {
  const id = await tsrun.ok('inspect', '--format', '{{.Id}}', name);
  const found = cgroupPlaces(thisHost(), ['memory', 'cpu', 'pids']).flatMap(({ directory }) =>
    files.map((file) => `${directory}/tsrun-${id}/${file}`).filter((path) => existsSync(path)),
  );
  return readFileSync(found[0]!, 'utf8').trim();
};

it('update changes the limits of a running container, up and down; they stay when its supervisor starts it again', async () => {
  await tsrun.ok(
    'run',
    '-d',
    '--name',
    'live',
    ...QUIET,
    '-m',
    '64m',
    '--restart',
    'always',
    IMAGE,
    'sleep',
    '1000',
  );
  const memory = () => inForce('live', 'memory.max', 'memory.limit_in_bytes');
  const pids = () => inForce('live', 'pids.max');
  expect([await memory(), await pids()]).toEqual([String(64 << 20), '2048']);
  for (const size of [256, 32]) {
    expect((await tsrun.expect(0, ['update', '-m', `${size}m`, '--pids-limit', '30', 'live'])).stderr).toBe(
      '',
    );
    expect([await memory(), await pids()]).toEqual([String(size << 20), '30']);
  }
  process.kill(Number(await tsrun.ok('inspect', '--format', '{{.State.Pid}}', 'live')), 'SIGKILL');
  const restarted = async () =>
    (await tsrun.ok('inspect', '--format', '{{.State.Status}} {{.RestartCount}}', 'live')) === 'running 1';
  await until('a restart', restarted);
  expect([await memory(), await pids()]).toEqual([String(32 << 20), '30']);
  await tsrun.ok('update', '-m', '0', '--pids-limit', '-1', 'live');
  expect(await pids()).toBe('max');
  expect(Number.parseInt(await memory(), 10) || Number.POSITIVE_INFINITY).toBeGreaterThan(2 ** 40);
  await tsrun.ok('rm', '-f', 'live');
});

it('a limit that the kernel does not take leaves the others as they were', async () => {
  await tsrun.ok(
    'run',
    '-d',
    '--name',
    'strict',
    ...QUIET,
    '--pids-limit',
    '40',
    '--cpus',
    '1',
    IMAGE,
    'sleep',
    '1000',
  );
  const words = ['update', '--pids-limit', '50', '--cpu-quota', '500', 'strict'];
  const { stderr } = await tsrun.expect(125, words);
  expect(stderr).toMatch(/cannot change a limit of container strict: cpu\./);
  expect(await inForce('strict', 'pids.max')).toBe('40');
  expect(await tsrun.ok('inspect', '--format', '{{.HostConfig.PidsLimit}}', 'strict')).toBe('40');
  await tsrun.ok('rm', '-f', 'strict');
});
