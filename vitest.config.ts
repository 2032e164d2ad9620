/**
 * The test suites. `npm test` runs all but `long` (and `without-subids` and `with-cgroups` where setup, as root, made a user or a cgroup for
 * them); one of them:
 * `npm run vitest -- run --project unit`.
 *
 *   unit            pure or on temporary files; no namespaces, no network
 *   integration     real namespaces and system calls, below the command line; needs an ordinary user with subordinate ids
 *   hostile         archives, images, registries and names made to break out or to wedge
 *   e2e             the built dist/bin/tsrun as a user calls it; file after file, leak-checked after each
 *   without-subids  e2e as a user who has no subordinate ids
 *   with-cgroups    e2e as a user in a cgroup that is theirs, so that limits can be had
 *   long            minutes: soak, kill points, differential runs; `npm run test:long`
 */
import { defineConfig } from 'vitest/config';

/** What the suites share that need nothing but themselves: two files at a time, before those that look for leaks. */
const independent = { maxWorkers: 2, sequence: { groupOrder: 0 }, hookTimeout: 240_000 };

/** What the suites that start containers share: one file at a time, a leak check after each file. */
const containers = {
  sequence: { groupOrder: 1 },
  setupFiles: ['test/support/check-leaks-after-file.ts'],
  fileParallelism: false,
  testTimeout: 180_000,
  hookTimeout: 240_000,
};

export default defineConfig({
  test: {
    projects: [
      { test: { ...independent, name: 'unit', include: ['test/unit/**/*.test.ts'], testTimeout: 60_000 } },
      {
        test: {
          ...independent,
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          testTimeout: 180_000,
        },
      },
      {
        test: {
          ...independent,
          name: 'hostile',
          include: ['test/hostile/**/*.test.ts'],
          testTimeout: 180_000,
        },
      },
      { test: { ...containers, name: 'e2e', include: ['test/e2e/**/*.test.ts'] } },
      { test: { ...containers, name: 'without-subids', include: ['test/without-subids/**/*.test.ts'] } },
      { test: { ...containers, name: 'with-cgroups', include: ['test/with-cgroups/**/*.test.ts'] } },
      { test: { ...containers, name: 'long', include: ['test/long/**/*.test.ts'], testTimeout: 900_000 } },
    ],
  },
});
