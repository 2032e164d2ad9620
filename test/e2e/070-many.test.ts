/**
 * Many containers, and many commands at once: each start is like the first. Runtimes that give every container a session keyring fail at a
 * user's 200th with "Disk quota exceeded" (kernel.keys.maxkeys); test/long starts more than that.
 */
import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { expect, it } from 'vitest';
import { unfinished } from '../support/check-store.ts';
import { containerPids, isRunning, namespaceOf } from '../support/container-processes.ts';
import { expectNoLeftovers } from '../support/store.ts';
import { useTsrun } from '../support/tsrun.ts';
import { until } from '../support/until.ts';

const tsrun = useTsrun();
const IMAGE = 'localhost/busybox';
const DETACHED = ['run', '-d', '--network', 'none'];

/** How many keys this user and those of his subordinate ids have: `uid: usage nkeys/nikeys qnkeys/maxkeys qnbytes/maxbytes`. */
function ownKeys(): number {
  const { uid } = userInfo();
  const line = readFileSync('/proc/key-users', 'utf8')
    .split('\n')
    .find((text) => Number(text.split(':')[0]) === uid);
  return Number(/(\d+)\/\d+ \d+\/\d+$/.exec(line ?? '')?.[1] ?? 0);
}

it('the first starts of a user, at once, in a store that is not there yet', async () => {
  const runs = await Promise.all(
    Array.from({ length: 6 }, (_, i) =>
      tsrun.run(['run', '--rm', '--network', 'none', IMAGE, 'echo', `${i}`]),
    ),
  );
  const words = runs.map(({ stderr }) => stderr).join('');
  expect(
    runs.map(({ status, stdout }) => [status, stdout]),
    words,
  ).toEqual(runs.map((_, i) => [0, `${i}\n`]));
  expect((await tsrun.ok('images', '-q')).split('\n')).toHaveLength(1);
});

it('30 detached at once: all run, each in namespaces of its own, and none with a keyring', async () => {
  const keys = ownKeys();
  const begin = (i: number) => tsrun.ok(...DETACHED, '--init', '--name', `many-${i}`, IMAGE, 'sleep', '1000');
  // The first makes the rootless namespaces, which the others join.
  const first = await begin(0);
  const ids = [first, ...(await Promise.all(Array.from({ length: 29 }, (_, i) => begin(i + 1))))];
  expect(new Set(ids).size).toBe(30);
  expect((await tsrun.ok('ps', '-q', '--no-trunc')).split('\n').sort()).toEqual([...ids].sort());
  const inits = await Promise.all(ids.map(async (id) => (await containerPids(tsrun, id)).init));
  for (const type of ['pid', 'mnt', 'net', 'ipc', 'uts', 'cgroup']) {
    expect(new Set(inits.map((pid) => namespaceOf(pid, type))).size, type).toBe(30);
  }
  expect(new Set(inits.map((pid) => namespaceOf(pid, 'user'))).size).toBe(1);
  expect(ownKeys()).toBe(keys);
});

it('one command stops them all, in the time of one', async () => {
  const names = Array.from({ length: 30 }, (_, i) => `many-${i}`);
  const { stdout, stderr } = await tsrun.expect(0, ['stop', ...names]);
  expect([stdout, stderr]).toEqual([names.map((name) => `${name}\n`).join(''), '']);
  expect(await tsrun.ok('ps', '-q')).toBe('');
});

it('one command removes them all', async () => {
  const { init, supervisor } = await containerPids(tsrun, 'many-0');
  expect([init, supervisor]).toEqual([0, 0]);
  const ids = (await tsrun.ok('ps', '-aq')).split('\n');
  expect(ids).toHaveLength(30);
  await tsrun.ok('rm', ...ids);
  await expectNoLeftovers(tsrun.store);
});

it('two starts of one container at once: it runs once', async () => {
  await tsrun.ok(
    'create',
    '--network',
    'none',
    '--name',
    'once',
    IMAGE,
    'sh',
    '-c',
    'echo started; exec sleep 1000',
  );
  const starts = await Promise.all(Array.from({ length: 4 }, () => tsrun.run(['start', 'once'])));
  for (const { status, stderr } of starts) {
    // A start of a container that runs is no error; one that came a moment too soon may be refused, by name.
    if (status !== 0) expect(stderr).toMatch(/once.*(starting|running)/);
  }
  expect(starts.filter(({ status }) => status === 0).length).toBeGreaterThan(0);
  await until('it runs', async () => (await tsrun.ok('ps', '--format', '{{.Names}}')) === 'once');
  expect(await tsrun.ok('exec', 'once', 'sh', '-c', 'set -- /proc/[0-9]*; echo $#')).toBe('2');
  await until('its word', async () => (await tsrun.ok('logs', 'once')) !== '');
  expect(await tsrun.ok('logs', 'once')).toBe('started');
  const pids = await containerPids(tsrun, 'once');
  await tsrun.ok('rm', '-f', 'once');
  await until('its processes are gone', () => !isRunning(pids.init) && !isRunning(pids.supervisor));
});

it('of two containers that want one name at once, one gets it', async () => {
  const runs = await Promise.all(
    Array.from({ length: 4 }, () => tsrun.run([...DETACHED, '--name', 'wanted', IMAGE, 'sleep', '1000'])),
  );
  const [won, lost] = [runs.filter(({ status }) => status === 0), runs.filter(({ status }) => status !== 0)];
  expect(won).toHaveLength(1);
  for (const { status, stderr } of lost) {
    expect(status).toBe(125);
    expect(stderr).toContain('the container name "wanted" is in use');
  }
  expect((await tsrun.ok('ps', '-aq')).split('\n')).toHaveLength(1);
  await tsrun.ok('rm', '-f', 'wanted');
  expect(unfinished(tsrun)).toEqual([]);
});

it('of two containers that want one port at once, one gets it', async () => {
  const { freePort } = await import('../support/ports.ts');
  const port = await freePort();
  const runs = await Promise.all(
    Array.from({ length: 3 }, () =>
      tsrun.run(['run', '-d', '-p', `127.0.0.1:${port}:80`, 'localhost/httpd']),
    ),
  );
  expect(runs.filter(({ status }) => status === 0)).toHaveLength(1);
  for (const { status, stderr } of runs) {
    if (status !== 0) expect([status, stderr]).toEqual([125, expect.stringContaining(String(port))]);
  }
  await tsrun.ok('rm', '-f', ...(await tsrun.ok('ps', '-aq')).split('\n'));
});

it('exec, 20 at once', async () => {
  await tsrun.ok(...DETACHED, '--name', 'target', IMAGE, 'sleep', '1000');
  const runs = await Promise.all(
    Array.from({ length: 20 }, (_, i) => tsrun.run(['exec', 'target', 'sh', '-c', `echo ${i}; exit ${i}`])),
  );
  expect(runs.map(({ status, stdout, stderr }) => [status, stdout, stderr])).toEqual(
    runs.map((_, i) => [i, `${i}\n`, '']),
  );
});
