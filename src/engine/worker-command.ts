/** How the workers are started that read and write trees of files. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * A worker meets names that strangers chose, so its hash tables are spread anew at each start (compare src/cli/tsrun.sh). For that V8
 * searches three primes, 11 million instructions on average and now and then thrice that; from these random seeds it finds them at
 * once. Nobody outside knows which one a process has. Nothing that must not be guessed comes from Math.random().
 */
const RANDOM_SEEDS = [
  10331, 19555, 34186, 48081, 51727, 81374, 97434, 125212, 149957, 151670, 161970, 165540, 168865, 172406,
  176142, 178730,
];

/** A worker of the bundle, or in tests that run the sources the source itself, in `folder` of src/image. */
function workerFile(folder: string, worker: string): string {
  const here = typeof __dirname === 'string' ? __dirname : dirname(fileURLToPath(import.meta.url));
  const bundled = join(here, 'bin', `${worker}.cjs`);
  return existsSync(bundled) ? bundled : join(here, '..', 'image', folder, `${worker}.ts`);
}

/** The command line of a worker: its file is src/image/FOLDER/WORKER.ts, or dist/bin/WORKER.cjs in a build. */
export const workerCommand = (folder: string, worker: string): string[] => [
  process.execPath,
  `--random-seed=${RANDOM_SEEDS[process.pid % RANDOM_SEEDS.length]}`,
  workerFile(folder, worker),
];
