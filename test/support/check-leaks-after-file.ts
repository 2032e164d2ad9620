/** vitest setup file: after the last test of a file, and after its own clean-up, nothing of it may be left on the machine. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect } from 'vitest';
import { leaksSince, lookAtMachine, type Machine } from './leaks.ts';

/** Helpers end on their own when their container has; that may take a moment. */
const PATIENCE_MS = 20_000;

let before: Machine;

beforeAll(() => {
  before = lookAtMachine();
});

// Registered before those of the test file, so it runs after them.
afterAll(async () => {
  const end = Date.now() + PATIENCE_MS;
  while (leaksSince(before).length > 0 && Date.now() < end) await sleep(50);
  expect(leaksSince(before), 'left on the machine').toEqual([]);
});
