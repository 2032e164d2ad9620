/**
 * Locks between processes: flock(2) on a file, which the kernel lets go of however its holder ends.
 *
 * A locked file may be unlinked or renamed away by its holder (a partial blob becomes the blob). Whoever waited then holds a lock
 * on a file that has no name any more, so after locking the name is looked up again, and the wait starts over if it means
 * another file.
 *
 * A directory can be locked as well, and needs no file beside it.
 */
import { closeSync, constants, fstatSync, openSync, statSync, unlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { flock } from '../sys/flock.ts';
import { makeDirectories } from '../sys/make-directories.ts';

export type LockMode = 'exclusive' | 'shared';

/** A held lock. Release it, or leave it to the end of the process. */
export class FileLock implements Disposable {
  /** Of the locked file, open for reading and writing (a directory: for reading). */
  readonly fd: number;
  readonly path: string;
  #held = true;
  constructor(fd: number, path: string) {
    this.fd = fd;
    this.path = path;
  }
  release(): void {
    if (!this.#held) return;
    this.#held = false;
    closeSync(this.fd);
  }
  /** Removes the file, then lets go: for lock files that would pile up. */
  releaseAndRemove(): void {
    if (this.#held) unlinkSync(this.path);
    this.release();
  }
  [Symbol.dispose](): void {
    this.release();
  }
}

function isStillAt(path: string, fd: number): boolean {
  const named = statSync(path, { throwIfNoEntry: false });
  const open = fstatSync(fd);
  return named !== undefined && named.ino === open.ino && named.dev === open.dev;
}

type Lockable = 'file' | 'directory';

/** Opens what is to be locked, creating it if need be. */
function openLockable(path: string, lockable: Lockable): number {
  if (lockable === 'file') {
    makeDirectories(dirname(path), 0o700);
    return openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  }
  for (;;) {
    makeDirectories(path, 0o700);
    try {
      return openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error; // else: removed in between
    }
  }
}

/** Locks `path`, creating it if need be; undefined when another process (or another open of this one) holds it. */
export function tryLock(
  path: string,
  mode: LockMode = 'exclusive',
  lockable: Lockable = 'file',
): FileLock | undefined {
  for (;;) {
    const fd = openLockable(path, lockable);
    let keep = false;
    try {
      if (!flock(fd, mode, true)) return undefined;
      keep = isStillAt(path, fd);
      if (keep) return new FileLock(fd, path);
    } finally {
      if (!keep) closeSync(fd);
    }
  }
}

export interface WaitOptions {
  mode?: LockMode;
  lockable?: Lockable;
  signal?: AbortSignal | undefined;
  /** Called once, when the lock is not free at first. */
  onWait?: (() => void) | undefined;
}

const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 200;

/** Locks `path`, waiting for its holder without blocking this process. Rejects when `signal` aborts. */
export async function waitForLock(path: string, options: WaitOptions = {}): Promise<FileLock> {
  let pauseMs = FIRST_PAUSE_MS;
  for (;;) {
    options.signal?.throwIfAborted();
    const lock = tryLock(path, options.mode, options.lockable);
    if (lock !== undefined) return lock;
    if (pauseMs === FIRST_PAUSE_MS) options.onWait?.();
    await sleep(pauseMs, undefined, options.signal === undefined ? {} : { signal: options.signal });
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
  }
}
