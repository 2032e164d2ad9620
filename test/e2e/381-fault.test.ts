/**
 * AC-4.1, a sample: commands killed at a few of the steps that they take, others each time. What is looked at then is in
 * test/support/fault/; all steps of all commands are in test/long/fault.test.ts. A failure names its step, which that file can repeat.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { casesOf, Lane } from '../support/fault/run-scenario.ts';
import { scenarios } from '../support/fault/scenarios.ts';

/** Of each program of a command. */
const STEPS = 1;

let lane: Lane;

beforeAll(async () => {
  lane = await Lane.open();
});
afterAll(() => lane?.[Symbol.asyncDispose]());

it.each(['run -d', 'stop', 'rm', 'exec'])('%s', async (name) => {
  const scenario = scenarios('').find((one) => one.name === name)!;
  const cases = await casesOf(lane, scenario, STEPS);
  expect(cases.length).toBeGreaterThanOrEqual(2 * STEPS);
  for (const one of cases) await lane.dieSurely(one.scenario, one.fault);
});
