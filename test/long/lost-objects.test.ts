/** AC-4.2 for every kind of file and directory that the store consists of; a few of them are in test/e2e/220-system. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { kindsOfObjects, loseObject } from '../support/lose-object.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { useTsrun } from '../support/tsrun.ts';

const tsrun = useTsrun();
let registry: Registry;

beforeAll(async () => {
  registry = await startRegistry();
});
afterAll(() => registry[Symbol.asyncDispose]());

it('each object of the store is lost once', async () => {
  const reference = await registry.push('busybox');
  const kinds = await kindsOfObjects(tsrun, reference);
  expect(kinds.size).toBeGreaterThan(20);
  for (const example of kinds.values()) await loseObject(tsrun, reference, example);
});
