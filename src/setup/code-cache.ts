/**
 * Makes the V8 code caches of dist/ (src/cli/load-bundle.ts) by running the commands whose start should be fast.
 *
 * A cache holds the functions that were compiled when it was taken. Each command therefore runs with the caches of the commands
 * before it and writes them again, grown by its own functions. The commands really run, on a store of their own; where containers
 * cannot be started (no namespaces in a build environment, or root) they fail, which costs some warmth and no correctness.
 */
import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';

import { join } from 'node:path';

const NAME = 'warm-up';
const RUN = ['run', '--network', 'none'];

/** In the order in which they must run: a container is made, looked at, and removed. */
const COMMANDS: readonly (readonly string[])[] = [
  ['version'],
  ['--help'],
  ['run', '--help'],
  ['no-such-command'],
  ['images'],
  ['info'],
  ['doctor'],
  ['explain', ...RUN, '--rm', 'localhost/busybox', 'true'],
  [...RUN, '--rm', 'localhost/busybox', 'true'],
  ['run', '--rm', 'localhost/busybox', 'true'],
  [...RUN, '-d', '--name', NAME, 'localhost/busybox', 'sleep', '60'],
  [...RUN, '--rm', 'localhost/busybox', 'echo', 'joining'],
  ['exec', NAME, 'true'],
  ['ps'],
  ['logs', NAME],
  ['inspect', NAME],
  ['port', NAME],
  ['stop', '-t', '0', NAME],
  ['wait', NAME],
  ['rm', '-f', NAME],
  // Nothing listens there: warms what a pull needs until it would connect.
  ['pull', '127.0.0.1:1/warm-up'],
];

const TIMEOUT_MS = 20_000;

/** Removes `directory`, also what a layer made unwritable. */
async function removeTree(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true }).catch(() => {
    spawnSync('chmod', ['-R', 'u+rwX', directory]);
    return rm(directory, { recursive: true, force: true });
  });
}

/** Writes `<bundle>.cache` beside each bundle of `dist`. Returns the commands that failed. */
export async function makeCodeCaches(dist: string): Promise<string[]> {
  const stale = (await readdir(dist)).filter((name) => name.endsWith('.cache'));
  await Promise.all(stale.map((name) => rm(join(dist, name))));
  const home = await mkdtemp('/var/tmp/t');
  const failed: string[] = [];
  try {
    for (const command of COMMANDS) {
      const { status } = spawnSync(
        process.execPath,
        [join(import.meta.dirname, 'warm-up.ts'), dist, ...command],
        {
          stdio: 'ignore',
          timeout: TIMEOUT_MS,
          killSignal: 'SIGKILL',
          cwd: home,
          env: {
            PATH: process.env.PATH,
            LANG: 'C.UTF-8',
            HOME: home,
            XDG_DATA_HOME: home,
            XDG_RUNTIME_DIR: home,
          },
        },
      );
      if (status !== 0) failed.push(command.join(' '));
    }
  } finally {
    await removeTree(home);
  }
  return failed;
}
