/**
 * Memory that a detached container costs besides itself: the processes that its engine keeps for it, by PSS (proc_pid_smaps(5)), so that
 * what several share is counted once.
 *
 * What the second to fourth container add is what counts; the first one may bring something that all share.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './answer.ts';
import type { Engine } from './engine.ts';

const NAME = 'tsrun-bench-memory';
const MORE = 3;
/** Helpers that only start something are gone by then. */
const SETTLE_MS = 500;

/** What the containers run, and nothing else does. */
const COMMAND = ['sleep', '87654'];

/** Pids of this user's processes that are not the containers' own. */
function processes(): Set<string> {
  const own = new RegExp(`^Uid:\\s+${process.getuid?.()}\\s`, 'm');
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return new Set(
    pids.filter((pid) => {
      const status = read(`/proc/${pid}/status`);
      const isContainer = read(`/proc/${pid}/cmdline`) === `${COMMAND.join('\0')}\0`;
      return own.test(status) && !/^State:\s+Z/m.test(status) && !isContainer;
    }),
  );
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return ''; // it has ended
  }
}

/** In KiB. Processes that are root in the engine's user namespace can only be looked into from there. */
async function pssOf(engine: Engine, pids: readonly string[]): Promise<number> {
  const script = 'for pid; do cat "/proc/$pid/smaps_rollup" || [ ! -e "/proc/$pid" ] || exit; done';
  const { stdout } = await engine.run('unshare', 'sh', '-c', script, 'sh', ...pids);
  const sizes = [...stdout.matchAll(/^Pss:\s+(\d+) kB$/gm)].map(([, size]) => Number(size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

async function newPss(engine: Engine, before: ReadonlySet<string>): Promise<number> {
  await sleep(SETTLE_MS);
  return await pssOf(
    engine,
    [...processes()].filter((pid) => !before.has(pid)),
  );
}

async function start(engine: Engine, index: number, published: boolean): Promise<void> {
  const words = ['run', '-d', '--name', `${NAME}-${index}`];
  const network = published ? ['-p', `127.0.0.1:${await freePort()}:80`] : ['--network', 'none'];
  await engine.run(...words, ...network, engine.reference('busybox'), ...COMMAND);
}

/** KiB for each container after the first. */
export async function memoryPerContainer(engine: Engine, published: boolean): Promise<number> {
  const before = processes();
  try {
    await start(engine, 0, published);
    const one = await newPss(engine, before);
    for (let index = 1; index <= MORE; index++) await start(engine, index, published);
    const all = await newPss(engine, before);
    return (all - one) / MORE;
  } finally {
    for (let index = 0; index <= MORE; index++)
      await engine.room.run(engine.command('rm', '-f', `${NAME}-${index}`));
  }
}
