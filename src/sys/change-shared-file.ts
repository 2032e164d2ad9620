/** Files in the user's home that other programs read and write too: logins, policies of signatures. */
import {
  chmodSync,
  closeSync,
  fsyncSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { flock } from './flock.ts';
import { makeDirectories } from './make-directories.ts';

interface Modes {
  /** Of the file, whatever the umask. */
  file: number;
  /** Of directories that are made for it. */
  directory: number;
}

/** A link is followed and kept: what it leads to is replaced. */
function targetOf(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return path;
    throw error;
  }
}

function replaceFile(path: string, text: string, mode: number): void {
  const temporary = `${path}.${process.pid}`;
  try {
    const fd = openSync(temporary, 'w', mode);
    try {
      chmodSync(temporary, mode);
      writeSync(fd, text);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/**
 * Replaces the file at `path` as a whole by what `change` makes of it, if anything, under a lock on its directory: of two changes at the same
 * time both are kept, and nobody reads half a file. Throws what the system says, and what `change` throws.
 * @param change is told where the file really is
 */
export function changeSharedFile(
  path: string,
  modes: Modes,
  change: (target: string) => string | undefined,
): void {
  const target = targetOf(path);
  makeDirectories(dirname(target), modes.directory);
  const lock = openSync(dirname(target), 'r');
  try {
    flock(lock, 'exclusive', false);
    const text = change(target);
    if (text !== undefined) replaceFile(target, text, modes.file);
  } finally {
    closeSync(lock);
  }
}
