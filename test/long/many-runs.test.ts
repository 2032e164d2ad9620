/** AC-0.2: a thousand containers one after the other, and nothing is left of any. Once an engine lost 1 of 300 to EINVAL. */
import { expect, it } from 'vitest';
import { leftovers } from '../support/store.ts';
import { useTsrun } from '../support/tsrun.ts';

const RUNS = 1000;
const AT_ONCE = 4;

const tsrun = useTsrun();

it(`${RUNS} runs, ${AT_ONCE} at a time, all succeed`, async () => {
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
  expect(leftovers(tsrun.store)).toEqual([]);
});
