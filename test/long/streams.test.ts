/**
 * Not one byte is lost, not once in many runs (AC-5.2, AC-5.3): engines that close before they have drained lose the end of the output
 * in a few of a hundred runs, and those that set a terminal's size too late show 0 rows in some.
 * RUNS=500 says how many.
 */
import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { onTerminal } from '../support/terminal.ts';
import { BINARY, start, useTsrun } from '../support/tsrun.ts';

const RUNS = Number(process.env.RUNS ?? 200);
const SIZES = Number(process.env.RUNS ?? 200);
const AT_ONCE = 2;
const MANY = 10_000_000;
const IMAGE = 'localhost/busybox';
const RUN = ['run', '--rm', '--network', 'none'];

const tsrun = useTsrun();

/** Does `once` `count` times, a few at a time. */
async function repeat(count: number, once: (i: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await once(next++);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

/** The digest of what `tsrun words…` prints, which never passes through this process. */
async function digestOf(words: readonly string[]): Promise<string> {
  const line = ['"$0"', ...words.map((word) => `'${word}'`), '| sha256sum'].join(' ');
  const { env, directory } = tsrun.store;
  const { status, stdout, stderr } = await start('bash', ['-o', 'pipefail', '-c', line, BINARY], {
    env,
    cwd: directory,
  }).ended;
  expect([status, stderr]).toEqual([0, '']);
  return stdout.slice(0, 64);
}

const sha256 = (text: string): string =>
  createHash('sha256')
    .update(text.repeat(MANY / 2).slice(0, (MANY / 2) * text.length))
    .digest('hex');
const PLAIN = sha256('y\n');
const TERMINAL = sha256('y\r\n');
const YES = ['sh', '-c', `yes | head -c ${MANY}`];

it(`${RUNS} times ${MANY} bytes through a pipe`, { timeout: 3_600_000 }, async () => {
  await repeat(RUNS, async (i) => expect(await digestOf([...RUN, IMAGE, ...YES]), `run ${i}`).toBe(PLAIN));
});

it(`${RUNS / 100} times through a terminal, and from the log`, { timeout: 1_800_000 }, async () => {
  await repeat(RUNS / 100, async (i) => {
    const name = `talker-${i}`;
    const words = ['run', '-t', '--log-opt', 'max-size=400m', '--network', 'none', '--name', name];
    expect(await digestOf([...words, IMAGE, ...YES]), `run ${i}`).toBe(TERMINAL);
    expect(await digestOf(['logs', name]), `log ${i}`).toBe(TERMINAL);
    await tsrun.ok('rm', name);
  });
});

it(`${SIZES} times the first look at the terminal’s size is right`, { timeout: 1_800_000 }, async () => {
  await repeat(SIZES, async (i) => {
    const [rows, columns] = [2 + (i % 60), 20 + (i % 180)]; // busybox takes 1 row for none
    const { env, directory } = tsrun.store;
    const words = [BINARY, ...RUN, '-it', IMAGE, 'stty', 'size'];
    const { status, stdout } = await onTerminal(words, { rows, columns, env, cwd: directory }).ended;
    expect([status, stdout]).toEqual([0, `${rows} ${columns}\r\n`]);
  });
});
