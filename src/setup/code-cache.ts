/**
 * Makes the V8 code caches of dist/ (src/cli/load-bundle.ts) by running the commands whose start should be fast.
 *
 * A cache holds the functions that were compiled when it was taken. Each command therefore runs with the cache that earlier commands
 * left for its bundle, and writes it again, grown by its own functions. The commands really run, on a store of their own; where
 * containers cannot be started (no namespaces in a build environment, or root) they fail, which costs some warmth and no correctness.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { launcherFlags } from './launcher-flags.ts';
import { serveLayout } from './warm-up-registry.ts';

const NAME = 'warm-up';
const IMAGE = 'localhost/busybox';
const RUN = ['run', '--network', 'none'];

/** Unpacks the image. It is run once without making a cache: later starts do not do that again. */
const FIRST = [...RUN, '--rm', IMAGE, 'true'];

/** In the order in which they must run: a container is made, looked at, and removed. */
const COMMANDS: readonly (readonly string[])[] = [
  ['version'],
  ['--help'],
  ['no-such-command'],
  ['images'],
  ['info'],
  ['doctor'],
  ['explain', ...FIRST],
  FIRST,
  ['run', '--rm', IMAGE, 'true'],
  // The hub of the bridges is started, and found by the next.
  ['run', '-d', '--name', NAME, '-p', '127.0.0.1::80', IMAGE, 'sleep', '60'],
  ['run', '--rm', '-p', '127.0.0.1::80', IMAGE, 'true'],
  // Joins the namespaces that the container above keeps.
  [...RUN, '--rm', IMAGE, 'true'],
  [...RUN, '--rm', IMAGE, 'no-such-command'],
  ['exec', NAME, 'true'],
  ['ps'],
  ['logs', NAME],
  ['inspect', NAME],
  ['port', NAME],
  ['stop', '-t', '0', NAME],
  ['wait', NAME],
  ['start', NAME],
  ['kill', NAME],
  ['rm', '-f', NAME],
];

const TIMEOUT_MS = 60_000;

/** Removes `directory`, also what a layer made unwritable. */
async function removeTree(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true }).catch(() => {
    spawnSync('chmod', ['-R', 'u+rwX', directory]);
    return rm(directory, { recursive: true, force: true });
  });
}

/** Makes the caches beside the bundles of `dist`, which have none yet. Returns whether containers could be started. */
export async function makeCodeCaches(dist: string): Promise<boolean> {
  const home = await mkdtemp('/var/tmp/t');
  const warmUp = join(import.meta.dirname, 'warm-up.ts');
  const loader = join(dist, 'bin', 'tsrun.cjs');
  const tsrun = [process.execPath, ...launcherFlags(join(dist, 'bin', 'tsrun')), '--'];
  const registriesConf = join(home, 'registries.conf');
  const env = {
    CONTAINERS_REGISTRIES_CONF: registriesConf,
    PATH: process.env.PATH,
    LANG: 'C.UTF-8',
    HOME: home,
    XDG_DATA_HOME: home,
    XDG_RUNTIME_DIR: home,
  };
  /** Returns the exit status; a command that fails is none the worse for the cache. */
  const run = async ([program = '', ...words]: readonly string[]): Promise<number | null> => {
    const child = spawn(program, words, {
      stdio: 'ignore',
      timeout: TIMEOUT_MS,
      killSignal: 'SIGKILL',
      cwd: home,
      env,
    });
    const [status] = (await once(child, 'exit')) as [number | null];
    return status;
  };
  try {
    await writeFile(registriesConf, '');
    const status = await run([...tsrun, loader, ...FIRST]);
    for (const command of COMMANDS) await run([...tsrun, warmUp, dist, 'tsrun', ...command]);
    // Without the launcher's flags, as it is started; it ends when it is asked nothing.
    await run([process.execPath, warmUp, dist, 'unpack-worker']);
    await using registry = await serveLayout(join(dist, 'images', 'busybox'));
    const reference = `${registry.host}/${NAME}`;
    await run([...tsrun, warmUp, dist, 'tsrun', 'pull', reference]);
    // The store above had its layers: into an empty one they are fetched and unpacked as well.
    await run([...tsrun, warmUp, dist, 'tsrun', '--root', join(home, 'empty'), 'pull', '-q', reference]);
    // Single quotes are nothing for plain-toml.ts: the parser of all of TOML is loaded.
    await writeFile(registriesConf, "unqualified-search-registries = ['localhost']\n");
    await run([...tsrun, warmUp, dist, 'tsrun', 'search', `${registry.host}/${NAME}`]);
    return status === 0;
  } finally {
    await removeTree(home);
  }
}
