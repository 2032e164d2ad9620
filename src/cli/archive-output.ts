/** Where commands that write an archive write it: a file, which appears when it is complete, or stdout. */
import { closeSync, openSync, statSync } from 'node:fs';
import { TsrunError, tsrunError } from '../errors.ts';
import { openNewFile } from '../sys/new-file.ts';
import { BROKEN_PIPE_STATUS } from './output.ts';
import { usageError } from './parse/usage.ts';

export interface ArchiveTarget {
  readonly fd: number;
  /** The archive is complete: gives the file its name. */
  keep(): void;
  /** Closes the file; without keep() nothing is left of it. */
  [Symbol.dispose](): void;
}

/**
 * @param path undefined or `-`: stdout, which must not be a terminal. Throws ERR_TSRUN_USAGE, and ERR_TSRUN_OUTPUT_FILE when the
 * file cannot be written
 */
export async function openArchiveTarget(path: string | undefined, command: string): Promise<ArchiveTarget> {
  if (path === undefined || path === '-') {
    const { isatty } = await import('node:tty');
    if (isatty(1)) {
      throw usageError(
        'an archive on a terminal is of no use',
        `${command} -o FILE.tar   # or redirect stdout`,
      );
    }
    return { fd: 1, keep: () => {}, [Symbol.dispose]: () => {} };
  }
  try {
    return isSpecial(path) ? openSpecial(path) : openNew(path);
  } catch (error) {
    throw tsrunError('ERR_TSRUN_OUTPUT_FILE', { path }, error);
  }
}

/** A pipe or a device, which cannot be replaced by a file of its name. */
function isSpecial(path: string): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat !== undefined && !stat.isFile();
}

function openSpecial(path: string): ArchiveTarget {
  const fd = openSync(path, 'w');
  return { fd, keep: () => {}, [Symbol.dispose]: () => closeSync(fd) };
}

function openNew(path: string): ArchiveTarget {
  const file = openNewFile(path);
  return {
    fd: file.fd,
    keep() {
      try {
        file.keep('replace');
      } catch (error) {
        throw tsrunError('ERR_TSRUN_OUTPUT_FILE', { path }, error);
      }
    },
    [Symbol.dispose]: () => file[Symbol.dispose](),
  };
}

/**
 * Runs what writes an archive; when nobody reads it any more (`tsrun export web | head -c 100`), it ends without a word.
 * @returns the exit status
 */
export async function unlessBrokenPipe(write: () => Promise<void>): Promise<number> {
  try {
    await write();
    return 0;
  } catch (error) {
    const cause =
      error instanceof TsrunError && error.code === 'ERR_TSRUN_ARCHIVE_WRITE' ? error.cause : undefined;
    if (cause instanceof Error && cause.message.startsWith('EPIPE')) return BROKEN_PIPE_STATUS;
    throw error;
  }
}
