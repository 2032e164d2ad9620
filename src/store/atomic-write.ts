/**
 * A file that is there is whole: written under another name, made durable, renamed.
 *
 * The fsync of the file keeps a power cut from leaving the new name on an empty file (the rename can reach the disk before the
 * data does); the fsync of the directory keeps it from taking back a rename that was already reported as done.
 */
import { closeSync, fsync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { makeDirectories } from '../sys/make-directories.ts';
import type { StorePaths } from './paths.ts';
import { temporaryPath } from './temporary.ts';

/** Makes the entries of a directory durable. */
export function syncDirectory(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function writeAll(fd: number, data: string | Uint8Array): void {
  const bytes = typeof data === 'string' ? Buffer.from(data) : data;
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
}

/** Writes a file and makes its content durable, not its name. */
export function writeDurably(path: string, data: string | Uint8Array): void {
  const fd = openSync(path, 'wx', 0o600);
  try {
    writeAll(fd, data);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Puts `data` at `path`, all or nothing, replacing what was there; its directory is made if need be. Throws the system's error. */
export function writeFileAtomic(paths: StorePaths, path: string, data: string | Uint8Array): void {
  makeDirectories(dirname(path), 0o700);
  replaceFile(paths, path, data);
}

/** As writeFileAtomic(), in a directory that is there: that of a container, which may be removed at any moment and must not come back. */
export function replaceFile(paths: StorePaths, path: string, data: string | Uint8Array): void {
  const temporary = temporaryPath(paths, 'file');
  try {
    writeDurably(temporary, data);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  syncDirectory(dirname(path));
}

/** A file whose content is there and whose name is given later. Dispose of it in any case. */
export interface PreparedFile extends AsyncDisposable {
  /** As writeFileAtomic(). */
  publish(): Promise<void>;
}

/** The first half of writeFileAtomic(): the disk is waited for in another thread, while other things are done. Throws the system's error. */
export function prepareFile(paths: StorePaths, path: string, data: string | Uint8Array): PreparedFile {
  const temporary = temporaryPath(paths, 'file');
  const fd = openSync(temporary, 'wx', 0o600);
  const durable = (async () => {
    try {
      writeAll(fd, data);
      await promisify(fsync)(fd);
    } finally {
      closeSync(fd);
    }
  })();
  durable.catch(() => undefined); // publish() tells
  return {
    async publish() {
      await durable;
      makeDirectories(dirname(path), 0o700);
      renameSync(temporary, path);
      syncDirectory(dirname(path));
    },
    async [Symbol.asyncDispose]() {
      await durable.catch(() => undefined);
      rmSync(temporary, { force: true });
    },
  };
}
