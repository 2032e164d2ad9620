/** kill -9 of tsrun at moments spread over the time that a command takes. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { checkStore } from './check-store.ts';
import type { Tsrun } from './tsrun.ts';
import { until } from './until.ts';

/** Runs `tsrun words…` and kills it after `delayMs`. False when it had ended before. */
export async function killAfter(tsrun: Tsrun, words: readonly string[], delayMs: number): Promise<boolean> {
  const running = tsrun.start(words);
  await sleep(delayMs);
  running.child.kill('SIGKILL');
  const { signal } = await tsrun.endOf(`tsrun ${words.join(' ')}, killed after ${delayMs} ms`, running);
  return signal === 'SIGKILL';
}

/** How long `tsrun words…` takes when nobody kills it, in milliseconds. */
export async function durationOf(tsrun: Tsrun, words: readonly string[]): Promise<number> {
  const start = performance.now();
  await tsrun.expect(0, words);
  return performance.now() - start;
}

/** One moment in each of `count` equal parts of `durationMs`. */
export const moments = (durationMs: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => ((i + Math.random()) / count) * durationMs);

/** Kills a pull: afterwards the store is whole, the same command succeeds, and its image runs. */
export async function killPull(tsrun: Tsrun, reference: string, delayMs: number): Promise<void> {
  await killAfter(tsrun, ['pull', reference], delayMs);
  await checkStore(tsrun);
  await tsrun.ok('pull', '-q', reference);
  await checkStore(tsrun);
  await tsrun.ok('run', '--rm', '--network', 'none', reference, 'true');
  await tsrun.ok('rmi', reference);
}

/**
 * Kills a start: afterwards every container is in a state that makes sense, the same command succeeds, and all can be removed. What the
 * killed command had started goes on, or is gone on its own.
 */
export async function killRun(tsrun: Tsrun, words: readonly string[], delayMs: number): Promise<void> {
  await killAfter(tsrun, words, delayMs);
  await checkStore(tsrun);
  const id = await tsrun.ok(...words);
  const lines = (await tsrun.ok('ps', '-a', '--no-trunc', '--format', '{{.ID}} {{.State}}')).split('\n');
  expect(lines).toContain(`${id} running`);
  for (const line of lines) expect(line).toMatch(/^[0-9a-f]{64} (created|running|exited)$/);
  const ids = (await tsrun.ok('ps', '-aq')).split('\n');
  await tsrun.ok('rm', '-f', ...ids);
  await until('nothing is listed', async () => (await tsrun.ok('ps', '-aq')) === '');
}
