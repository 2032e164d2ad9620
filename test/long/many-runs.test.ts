/**
 * AC-0.2: a thousand containers, and nothing is left of any. Once an engine lost 1 of 300 to EINVAL. Four at a time, for the tests' time; one
 * after the other, or another number of them: AT_ONCE=1 RUNS=1000 npm run test:long -- test/long/many-runs.test.ts
 */
import { expect, it } from 'vitest';
import { expectNoLeftovers } from '../support/store.ts';
import { useTsrun } from '../support/tsrun.ts';

const RUNS = Number(process.env.RUNS ?? 1000);
const AT_ONCE = Number(process.env.AT_ONCE ?? 4);

const tsrun = useTsrun();

it(`${RUNS} runs, ${AT_ONCE === 1 ? 'one after the other' : `${AT_ONCE} at a time`}, all succeed`, async () => {
  await tsrun.ok('run', '--rm', '--network', 'none', 'localhost/busybox', 'true');
  const failures: string[] = [];
  let started = 0;
  const worker = async (): Promise<void> => {
    while (started++ < RUNS) {
      const { status, stderr } = await tsrun.run([
        'run',
        '--rm',
        '--network',
        'none',
        'localhost/busybox',
        'true',
      ]);
      if (status !== 0 || stderr !== '') failures.push(`${status}: ${stderr}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  expect(failures).toEqual([]);
  await expectNoLeftovers(tsrun.store);
});
