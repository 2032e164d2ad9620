/**
 * Which root filesystem driver: the first that works when tried, kernel overlay → fuse-overlayfs → copy. The answer is kept in the
 * store with what it depends on (kernel, file system), so that a start costs one file read.
 */
import { readFileSync, rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { tsrunError } from '../errors.ts';
import type { RootfsDriverName } from '../rootfs/driver.ts';
import { overlayMount } from '../rootfs/overlay.ts';
import { type Rootless, runInside } from '../rootless/enter.ts';
import { NamespaceFailure } from '../rootless/namespace-failure.ts';
import { writeFileAtomic } from '../store/atomic-write.ts';
import type { StorePaths } from '../store/paths.ts';
import { temporaryPath } from '../store/temporary.ts';
import { call } from '../sys/calls.ts';
import { CLONE_NEWNS } from '../sys/constants.ts';
import { makeDirectories } from '../sys/make-directories.ts';
import { systemWords } from '../sys/run.ts';
import { commandPath } from './command-path.ts';

export interface DriverChoice {
  driver: RootfsDriverName;
  /** Why each better driver was not taken, by the system call that failed: `overlay: mount: Operation not permitted (EPERM)`. */
  rejected: string[];
  /** It was asked for, rather than tried in the usual order. */
  isForced?: boolean;
}

interface Remembered extends DriverChoice {
  /** What the answer depends on. */
  key: string;
}

/** Of uname(2), without loading node:os. */
const kernelRelease = (): string => readFileSync('/proc/sys/kernel/osrelease', 'utf8').trimEnd();

const ORDER: readonly RootfsDriverName[] = ['overlay', 'fuse-overlayfs', 'copy'];
const rememberedPath = (paths: StorePaths): string => `${paths.root}/storage-driver.json`;

/** @param forced --storage-driver. @throws ERR_TSRUN_STORAGE_DRIVER when it does not work, ERR_TSRUN_USAGE when there is none such */
export function chooseStorageDriver(
  paths: StorePaths,
  rootless: () => Rootless,
  forced?: string,
): DriverChoice {
  if (forced !== undefined) return forcedDriver(paths, rootless, forced);
  makeDirectories(paths.root, 0o700);
  const key = `${kernelRelease()} ${statfsSync(paths.root).type.toString(16)} ${commandPath('fuse-overlayfs') ?? 'no fuse-overlayfs'}`;
  const known = remembered(paths);
  if (known?.key === key) return known;
  const choice = probe(paths, rootless());
  writeFileAtomic(paths, rememberedPath(paths), JSON.stringify({ key, ...choice }));
  return choice;
}

/** As {@link chooseStorageDriver}, for who only tells of it: where nothing can be written, nothing can be tried, and why is said instead. */
export function knownStorageDriver(
  ...args: Parameters<typeof chooseStorageDriver>
): DriverChoice | { driver: ''; rejected: string[]; untried: string } {
  try {
    return chooseStorageDriver(...args);
  } catch (error) {
    if (!isCannotWrite(error)) throw error;
    return { driver: '', rejected: [], untried: `nothing can be tried here: ${(error as Error).message}` };
  }
}

/** Whether it is the system's error of a store that nothing can be written to. */
export const isCannotWrite = (error: unknown): boolean =>
  ['EROFS', 'ENOSPC', 'EDQUOT', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '');

function remembered(paths: StorePaths): Remembered | undefined {
  try {
    return JSON.parse(readFileSync(rememberedPath(paths), 'utf8')) as Remembered;
  } catch {
    return undefined; // first use, or damaged: probe again
  }
}

function forcedDriver(paths: StorePaths, rootless: () => Rootless, forced: string): DriverChoice {
  const driver = ORDER.find((name) => name === forced);
  if (!driver) {
    throw tsrunError('ERR_TSRUN_USAGE', {
      problem: `there is no storage driver "${forced}"`,
      hint: `--storage-driver ${ORDER.join(' | ')}`,
    });
  }
  const problem = problemOf(driver, paths, rootless());
  if (problem) throw tsrunError('ERR_TSRUN_STORAGE_DRIVER', { driver, reasons: problem });
  return { driver, rejected: [], isForced: true };
}

function probe(paths: StorePaths, rootless: Rootless): DriverChoice {
  const rejected: string[] = [];
  for (const driver of ORDER) {
    const problem = problemOf(driver, paths, rootless);
    if (!problem) return { driver, rejected };
    rejected.push(`${driver}: ${problem}`);
  }
  return { driver: 'copy', rejected };
}

/** Tries for real what can be tried; undefined when the driver works. */
function problemOf(driver: RootfsDriverName, paths: StorePaths, rootless: Rootless): string | undefined {
  if (driver === 'copy') return undefined;
  if (driver === 'overlay') return overlayProblem(paths, rootless);
  return commandPath('fuse-overlayfs')
    ? fuseProblem()
    : 'execve fuse-overlayfs: No such file or directory (ENOENT): sudo apt-get install fuse-overlayfs';
}

function fuseProblem(): string | undefined {
  try {
    readFileSync('/dev/fuse', { flag: 'r+' });
    return undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // A FUSE device that can be opened answers a read before mounting with EPERM.
    if (code === 'ENOENT') return 'open /dev/fuse: No such file or directory (ENOENT): sudo modprobe fuse';
    return code === 'EACCES'
      ? 'open /dev/fuse: Permission denied (EACCES): sudo chmod 666 /dev/fuse'
      : undefined;
  }
}

/** Mounts an overlay in a scratch directory of the store, in a mount namespace that is gone afterwards. */
function overlayProblem(paths: StorePaths, rootless: Rootless): string | undefined {
  const scratch = temporaryPath(paths, 'probe');
  const at = (name: string): string => join(scratch, name);
  for (const name of ['lower', 'upper', 'work', 'merged']) makeDirectories(at(name));
  try {
    runInside(rootless, (slots) => [
      call('rootless', 'a mount namespace for this trial only', 'unshare', [CLONE_NEWNS]),
      ...overlayMount(
        slots,
        { lowers: [at('lower')], upper: at('upper'), work: at('work'), mountpoint: at('merged') },
        'rootless',
      ),
      // Overlay says only when it is written to that its upper file system cannot carry it (a whiteout, an opaque directory).
      call('rootless', 'make a directory in it', 'mkdirat', [-100, at('merged/directory'), 0o755]),
    ]);
    return undefined;
  } catch (error) {
    if (error instanceof NamespaceFailure) return systemWords(error.failure.step, error.failure.errno);
    throw error;
  } finally {
    runInside(rootless, () => [
      { actor: 'rootless', why: 'remove the trial', op: { kind: 'remove-tree', dir: -100, path: scratch } },
    ]);
    rmSync(scratch, { recursive: true, force: true });
  }
}
