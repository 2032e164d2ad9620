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
import { type Scenario, scenarios } from '../support/fault/scenarios.ts';
import { type Registry, startRegistry } from '../support/registry.ts';

const LANES = 2;
const LIMIT = process.env.FAULT === 'all' ? Number.POSITIVE_INFINITY : Number(process.env.FAULT_LIMIT ?? 12);

/** Of which scenario, who, at which step: what FAULT asks for, if it is one death. Throws where there is no such. */
function wantedDeath(): { name: string; program: Scenario['programs'][number]; deadly: number } | undefined {
  const { FAULT = 'all' } = process.env;
  if (FAULT === 'all') return undefined;
  const [, name = '', program, step] = /^(.*), (\S+) ([1-9]\d*)$/.exec(FAULT) ?? [];
  const scenario = scenarios('').find((one) => one.name === name);
  const known = scenario?.programs.find((one) => one === program);
  if (!known) throw new Error(`FAULT=${FAULT}: neither all nor as in FAULT='rm, native 17'`);
  return { name, program: known, deadly: Number(step) };
}
const wanted = wantedDeath();

let registry: Registry | undefined;
let reference: string;
const lanes: Lane[] = [];

beforeAll(async () => {
  registry = await startRegistry();
  reference = await registry.push('busybox');
  for (let i = 0; i < LANES; i++) lanes.push(await Lane.open(lanes[0]));
});
afterAll(async () => {
  const open = [...lanes, ...(registry ? [registry] : [])];
  const closed = await Promise.allSettled(open.map((one) => one[Symbol.asyncDispose]()));
  for (const end of closed) if (end.status === 'rejected') throw end.reason;
});

/** The messages of those of `cases` that failed, ten at most. */
async function failuresOf(cases: Case[]): Promise<string[]> {
  const failures: string[] = [];
  const work = async (lane: Lane): Promise<void> => {
    for (let one = cases.shift(); one && failures.length < 10; one = cases.shift()) {
      try {
        await lane.dieSurely(one.scenario, one.fault);
      } catch (error) {
        failures.push((error as Error).message);
        if (process.env.FAULT_TALK) console.error((error as Error).message);
      }
    }
  };
  await Promise.all(lanes.map(work));
  return failures;
}

for (const { name } of scenarios('')) {
  it.skipIf(wanted && wanted.name !== name)(name, { timeout: 3_600_000 }, async () => {
    const scenario = scenarios(reference).find((one) => one.name === name)!;
    const cases = wanted ? [{ scenario, fault: wanted }] : await casesOf(lanes[0]!, scenario, LIMIT);
    // A scenario whose programs take no steps would prove nothing.
    expect(cases.length).toBeGreaterThanOrEqual(wanted ? 1 : scenario.programs.length);
    expect(await failuresOf(cases)).toEqual([]);
  });
}
