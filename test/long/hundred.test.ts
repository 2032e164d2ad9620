/**
 * A hundred containers at once, as one would have them on a small server: each answers, `ps` has all of them, what each costs is within the budget
 * of the supervisor, and they are stopped and removed in bulk. On bridge networks: hundred-on-a-bridge.test.ts.
 */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { isRunning } from '../support/container-processes.ts';
import { forAll } from '../support/for-all.ts';
import { expectNoLeftovers } from '../support/store.ts';
import { useTsrun } from '../support/tsrun.ts';
import { until } from '../support/until.ts';

const COUNT = 100;
const AT_ONCE = 4;
/** Of the supervisor of each, in KiB of PSS. */
const BUDGET = 100;
const IMAGE = 'localhost/busybox';

const tsrun = useTsrun();
const names = Array.from({ length: COUNT }, (_, i) => `c${i}`);

const lines = async (...words: string[]): Promise<string[]> =>
  (await tsrun.ok(...words)).split('\n').filter(Boolean).sort();

const pss = (pid: number): number =>
  Number(/^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1]);

let supervisors: number[];
const sorted = [...names].sort();

it(`${COUNT} start, and each answers`, async () => {
  const said = ['sh', '-c', 'echo "I am $(hostname)"; exec sleep 100000'];
  const options = ['--network', 'none', '--init'];
  await forAll(names, AT_ONCE, (name) =>
    tsrun.ok('run', '-d', ...options, '--name', name, '-h', name, IMAGE, ...said),
  );
  await forAll(names, AT_ONCE, async (name) => expect(await tsrun.ok('exec', name, 'hostname')).toBe(name));
  const format = '{{.Names}} {{.State}}';
  expect(await lines('ps', '--format', format)).toEqual(sorted.map((name) => `${name} running`));
  const logs = await until('all have spoken', async () => {
    const all = await lines('logs', '--names', ...names);
    return all.length === COUNT && all;
  });
  expect(logs).toEqual(sorted.map((name) => `${name} I am ${name}`));
});

it(`the supervisor of each takes less than ${BUDGET} KiB`, async () => {
  supervisors = (await lines('inspect', '-f', '{{.State.SupervisorPid}}', ...names)).map(Number);
  expect(new Set(supervisors).size).toBe(COUNT);
  // What was used to write the log is given back after a quiet second.
  await until('all are within the budget', () => supervisors.every((pid) => pss(pid) < BUDGET));
  const all = supervisors.map(pss).sort((a, b) => a - b);
  const total = all.reduce((sum, one) => sum + one, 0);
  console.info(`PSS of ${COUNT} supervisors: ${total} KiB, from ${all[0]} to ${all.at(-1)}`);
});

it('all are stopped by one command, and removed by another; nothing is left', async () => {
  expect(await lines('stop', '-t', '60', ...names)).toEqual(sorted);
  expect(await tsrun.ok('ps', '-q')).toBe('');
  // They ended as they were asked to: none had to be killed.
  expect(await lines('ps', '-a', '--format', '{{.Names}} {{.Status}}')).toEqual(
    sorted.map((name) => expect.stringMatching(new RegExp(`^${name} Exited \\(143\\) `))),
  );
  expect(await lines('rm', ...names)).toEqual(sorted);
  expect(await tsrun.ok('ps', '-aq')).toBe('');
  await until('the supervisors have ended', () => !supervisors.some(isRunning));
  await expectNoLeftovers(tsrun.store);
});
