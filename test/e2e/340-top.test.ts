/** `tsrun top`: the processes of a container, those of exec too, with ids of the container and of this machine. */
import { userInfo } from 'node:os';
import { expect, it } from 'vitest';
import { start, useTsrun } from '../support/tsrun.ts';

const tsrun = useTsrun();
const IMAGE = 'localhost/busybox';
const rows = async (...words: string[]): Promise<string[][]> =>
  (await tsrun.ok('top', ...words)).split('\n').map((line) => line.trim().split(/\s{2,}/));

it('lists what podman lists', async () => {
  await tsrun.ok('run', '-d', '--init', '--network', 'none', '--name', 'c', IMAGE, 'sleep', '1000');
  const [headings, ...processes] = await rows('c');
  expect(headings).toEqual(['USER', 'PID', 'PPID', '%CPU', 'ELAPSED', 'TTY', 'TIME', 'COMMAND']);
  expect(processes.map((row) => [row[0], row[2], row[5], row.at(-1)])).toEqual([
    ['root', '0', '?', expect.stringContaining('sleep 1000')],
    ['root', '1', '?', 'sleep 1000'],
  ]);
});

it('shows ids of the container beside those of this machine, and processes of exec', async () => {
  await tsrun.ok('exec', '-d', '-u', '1234:99', 'c', 'sleep', '2000');
  const [, ...processes] = await rows('c', 'user,huser', 'group', 'hpid', 'capeff', 'seccomp', 'args');
  const byArgs = (args: string) => processes.find((row) => row.at(-1) === args);
  const pid = await tsrun.ok('inspect', '-f', '{{.State.Pid}}', 'c');
  expect(byArgs('sleep 1000')?.slice(0, 3)).toEqual(['root', userInfo().username, 'root']);
  expect(processes.map((row) => row[3])).toContain(pid);
  const label = await start('cat', [`/proc/${pid}/attr/current`]).ended;
  const [, first] = await rows('c', 'label');
  expect(first).toEqual([label.stdout.replace(/[\0\n]+$/, '') || '?']);
  const other = byArgs('sleep 2000');
  expect([other?.[0], other?.[4], other?.[5]]).toEqual(['1234', 'none', 'filter']);
  expect(Number(other?.[1])).toBeGreaterThan(10_000);
});

it('takes ps’s own way to name columns, and refuses what it has not', async () => {
  expect((await rows('c', '-eo', 'pid,comm'))[0]).toEqual(['PID', 'COMMAND']);
  expect((await tsrun.expect(125, ['top', 'c', 'aux'])).stderr).toContain('no column "aux"');
  await tsrun.ok('rm', '-f', 'c');
  await tsrun.ok('create', '--name', 'c', IMAGE);
  expect((await tsrun.expect(125, ['top', 'c'])).stderr).toContain('is created, not running');
});

it('ps --sort orders by what is said', async () => {
  for (const name of ['b', 'a', 'd']) await tsrun.ok('create', '--name', name, IMAGE);
  expect(await tsrun.ok('ps', '-a', '--sort', 'names', '--format', '{{.Names}}')).toBe('a\nb\nc\nd');
  expect(await tsrun.ok('ps', '-a', '--sort', 'created', '--format', '{{.Names}}')).toBe('c\nb\na\nd');
  expect(await tsrun.ok('ps', '-a', '--format', '{{.Names}}')).toBe('d\na\nb\nc');
});
