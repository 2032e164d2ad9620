/**
 * AC-4.1: tsrun killed at every step of every command that changes something: each change that Node makes to the file system, each
 * system call of the native parts (the supervisor, the init before its command, the forwarder, the networks' hub). Afterwards lists are
 * right, the same command succeeds, `system check` finds nothing, and nothing is left of any of it.
 *
 * A program with very many steps dies at LIMIT of them, others each time; at all with FAULT=all. One death again, as a failure
 * names it: FAULT='rm, native 17' npm run test:long -- test/long/fault.test.ts
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Case, casesOf, Lane } from '../support/fault/run-scenario.ts';
import { scenarios } from '../support/fault/scenarios.ts';
import { type Registry, startRegistry } from '../support/registry.ts';

const LANES = 2;
const LIMIT = process.env.FAULT === 'all' ? Number.POSITIVE_INFINITY : Number(process.env.FAULT_LIMIT ?? 12);

let registry: Registry;
let reference: string;
const lanes: Lane[] = [];

beforeAll(async () => {
  registry = await startRegistry();
  reference = await registry.push('busybox');
  for (let i = 0; i < LANES; i++) lanes.push(await Lane.open(lanes[0]));
});
afterAll(async () => {
  for (const lane of lanes) await lane[Symbol.asyncDispose]();
  await registry[Symbol.asyncDispose]();
});

it.each(scenarios('').map(({ name }) => name))('%s', { timeout: 3_600_000 }, async (name) => {
  const scenario = scenarios(reference).find((one) => one.name === name)!;
  const [, wantedName, program, deadly] = /^(.*), (\S+) (\d+)$/.exec(process.env.FAULT ?? '') ?? [];
  if (wantedName !== undefined && wantedName !== name) return;
  const wanted = [{ scenario, fault: { program, deadly: Number(deadly) } } as Case];
  const cases = deadly === undefined ? await casesOf(lanes[0]!, scenario, LIMIT) : wanted;
  const total = cases.length;
  const failures: string[] = [];
  let deaths = 0;
  const work = async (lane: Lane): Promise<void> => {
    for (let one = cases.shift(); one && failures.length < 10; one = cases.shift()) {
      try {
        if (await lane.die(one.scenario, one.fault)) deaths++;
      } catch (error) {
        failures.push((error as Error).message);
        if (process.env.FAULT_TALK) console.error((error as Error).message);
      }
    }
  };
  await Promise.all(lanes.map(work));
  expect(failures).toEqual([]);
  expect(deaths / total).toBeGreaterThan(0.8);
});
