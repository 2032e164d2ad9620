/**
 * Reads a file of a root file system that is not mounted: /etc/passwd before the first start.
 *
 * The path is resolved by the kernel inside the directory (openat2(2) with RESOLVE_IN_ROOT), so that an image whose /etc/passwd is a
 * link to a file of the host reads nothing of the host. Which of several layers has it, find-in-layers.ts knows.
 */
import { closeSync, fstatSync, readFileSync } from 'node:fs';
import { call } from '../sys/calls.ts';
import {
  AT_FDCWD,
  O_CLOEXEC,
  O_DIRECTORY,
  O_PATH,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS,
} from '../sys/constants.ts';
import { ERRNO } from '../sys/errno.ts';
import { nativeRunner, type Results, type Runner, SyscallFailure } from '../sys/run.ts';
import { Slots, type Step } from '../sys/step.ts';
import { findInLayers } from './find-in-layers.ts';

/** A passwd file may have this many bytes; more is no passwd file (CVE-2024-1753's kin). */
const MAX_SIZE = 1 << 20;

/** @param directories top first. @returns undefined where they have no readable regular file of that name */
export function readInLayers(
  directories: readonly string[],
  path: string,
  runner: Runner = nativeRunner,
): string | undefined {
  const [only, second] = directories;
  if (only === undefined) return undefined;
  if (second === undefined) return readInside(only, path, runner);
  const found = findInLayers(directories, path);
  const layer = directories.find((directory) => found?.startsWith(`${directory}/`));
  if (found === undefined || layer === undefined) return undefined;
  return readInside(layer, found.slice(layer.length), runner);
}

function readInside(directory: string, path: string, runner: Runner): string | undefined {
  const slots = new Slots();
  const how = {
    fields: [O_PATH | O_CLOEXEC, 0, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS].map(
      (value) => ({ width: 8, value }) as const,
    ),
  };
  const why = `read ${path} of the image`;
  const [root, fd] = [slots.new('layer'), slots.new('file')];
  const steps: Step[] = [
    call('user', why, 'openat', [AT_FDCWD, directory, O_PATH | O_DIRECTORY | O_CLOEXEC, 0], {
      result: root,
      tolerate: ['ENOENT', 'EACCES'],
    }),
    call('user', why, 'openat2', [root, path.replace(/^\/+/, ''), how, 24], {
      result: fd,
      tolerate: ['ENOENT', 'ENOTDIR', 'EACCES'],
    }),
  ];
  const results = resultsOf(() => runner.run({ slots, steps }));
  try {
    return results(fd) >= 0 ? readRegular(results(fd)) : undefined;
  } finally {
    for (const slot of [root, fd]) if (results(slot) >= 0) closeSync(results(slot));
  }
}

/** A link that leads to itself ends the search, as in a container that has that link: what was opened before is kept. */
function resultsOf(run: () => Results): Results {
  try {
    return run();
  } catch (error) {
    if (error instanceof SyscallFailure && error.errno === ERRNO.ELOOP) return error.results;
    throw error;
  }
}

/** @param fd opened with O_PATH */
function readRegular(fd: number): string | undefined {
  const stat = fstatSync(fd);
  if (!stat.isFile() || stat.size > MAX_SIZE) return undefined;
  try {
    return readFileSync(`/proc/self/fd/${fd}`, 'utf8');
  } catch (error) {
    // It belongs to a subordinate id, which keeps it to itself.
    if ((error as NodeJS.ErrnoException).code === 'EACCES') return undefined;
    throw error;
  }
}
