/**
 * A file that gets its name when it is whole. Until then it has none (O_TMPFILE, open(2)), so that nothing is left of it whatever ends its
 * writer: ^C left a hidden file as long as what had been written, or half an archive under the name that was asked for. A file system
 * that has no such files (NFS, some of FUSE) gets one with a hidden name, which stays there when the writer is killed.
 */
import { closeSync, constants, existsSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { callNow } from './calls.ts';
import { AT_FDCWD, AT_SYMLINK_FOLLOW } from './constants.ts';
import { ERRNO } from './errno.ts';
import { SyscallFailure } from './run.ts';

/** include/uapi/asm-generic/fcntl.h; O_DIRECTORY is another number on arm64. */
const O_TMPFILE = 0o20000000 | constants.O_DIRECTORY;

export interface NewFile extends Disposable {
  readonly fd: number;
  /** Gives it its name. A file that has it already is replaced, or is an error: EEXIST. */
  keep(existing: 'replace' | 'refuse'): void;
}

/** Throws what open(2) says. */
export function openNewFile(path: string): NewFile {
  const target = resolve(path);
  const spare = join(dirname(target), `.tsrun-${process.pid}-${process.hrtime.bigint().toString(36)}`);
  const unnamed = openUnnamed(dirname(target));
  const fd = unnamed ?? openSync(spare, 'wx', 0o666); // where there can be no file at all, this says why
  return {
    fd,
    keep(existing) {
      fsyncSync(fd);
      const isThere = unnamed === undefined ? existsSync(target) : !giveName(fd, target);
      if (isThere && existing === 'refuse') throw alreadyThere(target);
      if (unnamed !== undefined && !isThere) return;
      if (unnamed !== undefined) giveName(fd, spare); // link(2) replaces nothing, rename(2) does
      renameSync(spare, target);
    },
    [Symbol.dispose]() {
      closeSync(fd);
      if (unnamed === undefined) rmSync(spare, { force: true });
    },
  };
}

function openUnnamed(directory: string): number | undefined {
  try {
    return openSync(directory, O_TMPFILE | constants.O_WRONLY, 0o666);
  } catch {
    return undefined;
  }
}

/** False if there is something of that name. */
function giveName(fd: number, name: string): boolean {
  try {
    callNow('name a file', 'linkat', [AT_FDCWD, `/proc/self/fd/${fd}`, AT_FDCWD, name, AT_SYMLINK_FOLLOW]);
    return true;
  } catch (error) {
    if (error instanceof SyscallFailure && error.errno === ERRNO.EEXIST) return false;
    throw error;
  }
}

const alreadyThere = (path: string): Error =>
  Object.assign(new Error(`EEXIST: file already exists, open '${path}'`), { code: 'EEXIST', path });
