/** Namespaces of another container, of this machine, or at a path: `--pid`, `--ipc`, `--uts`, `--cgroupns`; and `exec` into such containers. */
import { expect, it } from 'vitest';
import { useTsrun } from '../support/tsrun.ts';
import { until } from '../support/until.ts';

const tsrun = useTsrun();
const IMAGE = 'localhost/busybox';
const QUIET = ['--network', 'none'];
const TYPES = ['pid', 'ipc', 'uts', 'cgroup'];
/** busybox's readlink takes one name. */
const links = (...types: string[]) => `for t in ${types.join(' ')}; do readlink /proc/self/ns/$t; done`;
/** Waits until the process of `owner` is the one that it stays. */
const untilSettled = () =>
  until('its note and its sleep', async () =>
    (await tsrun.ok('exec', 'owner', 'cat', '/proc/1/cmdline')).startsWith('sleep'),
  );
const SHOW = ['sh', '-c', `${links(...TYPES)}; hostname; cat /dev/shm/note`];

it('of another container: all of its namespaces, its shared memory and its name; also after it was restarted', async () => {
  const note = 'echo shared > /dev/shm/note; exec sleep 1000';
  await tsrun.ok('run', '-d', '--name', 'owner', '-h', 'owner-host', ...QUIET, IMAGE, 'sh', '-c', note);
  await untilSettled();
  const options = ['--pid', '--ipc', '--uts', '--cgroupns'].flatMap((option) => [option, 'container:owner']);
  await tsrun.ok('create', '--name', 'guest', ...options, ...QUIET, IMAGE, ...SHOW);
  const theirs = await tsrun.ok('exec', 'owner', ...SHOW);
  expect(theirs).toMatch(/^pid:.*\nipc:.*\nuts:.*\ncgroup:.*\nowner-host\nshared$/);
  expect(await tsrun.ok('start', '-a', 'guest')).toBe(theirs);
  const id = await tsrun.ok('inspect', '-f', '{{.Id}}', 'owner');
  expect(await tsrun.ok('inspect', '-f', '{{.HostConfig.PidMode}}', 'guest')).toBe(`container:${id}`);
  await tsrun.ok('restart', '-t', '0', 'owner');
  await untilSettled();
  expect(await tsrun.ok('start', '-a', 'guest')).toBe(await tsrun.ok('exec', 'owner', ...SHOW));
});

it('a process in another’s pid namespace has its own exit status, can be exec’d into, and ends with it', async () => {
  const run = ['run', ...QUIET, '--pid', 'container:owner'];
  await tsrun.expect(7, [...run, '--rm', IMAGE, 'sh', '-c', 'exit 7']);
  await tsrun.expect(127, [...run, '--rm', IMAGE, 'no-such-command']);
  await tsrun.ok(...run, '-d', '--name', 'beside', IMAGE, 'sleep', '1000');
  expect(await tsrun.ok('exec', 'beside', 'ps', '-o', 'args')).toMatch(/sleep 1000\nsleep 1000\nps/);
  await tsrun.ok('stop', '-t', '0', 'owner');
  expect(await tsrun.ok('wait', 'beside')).toBe('137');
  const { stderr } = await tsrun.expect(125, ['start', 'beside']);
  expect(stderr).toMatch(/container owner is exited, not running/);
});

it('of this machine: the command, exec and health checks run in them', async () => {
  const options = ['--pid', '--ipc', '--uts', '--network', '--cgroupns'].flatMap((option) => [
    option,
    'host',
  ]);
  const check = ['--health-cmd', 'true', '--health-interval', '100ms'];
  await tsrun.ok('run', '-d', '--name', 'bare', ...options, ...check, IMAGE, 'sleep', '1000');
  const names = ['pid', 'ipc', 'uts', 'net'];
  const { readlinkSync } = await import('node:fs');
  const ours = names.map((type) => readlinkSync(`/proc/self/ns/${type}`)).join('\n');
  expect(await tsrun.ok('exec', 'bare', 'sh', '-c', links(...names))).toBe(ours);
  expect(await tsrun.ok('wait', '--condition', 'healthy', 'bare')).toBe('-1');
  await tsrun.expect(1, ['exec', 'bare', 'sh', '-c', 'echo x > /proc/sys/kernel/hostname']);
});

it('at a path; without shared memory; and what is none of this is refused', async () => {
  await tsrun.ok('start', 'owner');
  const pid = await tsrun.ok('inspect', '-f', '{{.State.Pid}}', 'owner');
  const run = ['run', '--rm', ...QUIET];
  expect(await tsrun.ok(...run, '--uts', `ns:/proc/${pid}/ns/uts`, IMAGE, 'hostname')).toBe('owner-host');
  await tsrun.expect(1, [...run, '--ipc', 'none', IMAGE, 'test', '-e', '/dev/shm']);
  for (const type of TYPES) {
    const option = type === 'cgroup' ? '--cgroupns' : `--${type}`;
    const { stderr } = await tsrun.expect(125, [...run, option, 'container:nobody', IMAGE, 'true']);
    expect(stderr).toMatch(/there is no container "nobody"/);
    await tsrun.expect(125, [...run, option, 'mine', IMAGE, 'true']);
  }
  await tsrun.expect(125, [...run, '--userns', 'keep-id', '--ipc', 'container:owner', IMAGE, 'true']);
});
