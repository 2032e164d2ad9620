/** Files that others add lines to, rotated by rename: container.log → container.log.1 …, the highest number the oldest. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

const NEWLINE = 10;
const CHUNK = 1 << 16;

/** What a line says, without its newline; undefined when it says nothing (torn by a power cut). */
export type ParseLine<T> = (line: Buffer) => T | undefined;

/** Reads one file to its end, again and again, line by line. */
export class LineFile<T> {
  readonly #fd: number;
  readonly #parse: ParseLine<T>;
  readonly inode: number;
  #rest = Buffer.alloc(0);
  constructor(path: string, parse: ParseLine<T>) {
    this.#fd = openSync(path, 'r');
    this.#parse = parse;
    this.inode = fstatSync(this.#fd).ino;
  }
  /** The lines that are complete by now. */
  *lines(): Generator<T> {
    const chunk = Buffer.alloc(CHUNK);
    for (;;) {
      const length = readSync(this.#fd, chunk, 0, chunk.length, null);
      if (length === 0) return;
      const bytes = Buffer.concat([this.#rest, chunk.subarray(0, length)]);
      let start = 0;
      for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, start)) {
        const parsed = this.#parse(bytes.subarray(start, end));
        if (parsed) yield parsed;
        start = end + 1;
      }
      this.#rest = Buffer.from(bytes.subarray(start));
    }
  }
  close(): void {
    closeSync(this.#fd);
  }
}

function openLines<T>(path: string, parse: ParseLine<T>): LineFile<T> | undefined {
  try {
    return new LineFile(path, parse);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Opens the files of a log that are newer than `after` (all of them without it), the oldest first.
 *
 * The log may be rotated meanwhile. Looked for from the newest on, a file can then show twice, which its inode tells, but never be
 * missed; and one name can be missing, for the moment between two renames.
 */
export function openLineFiles<T>(path: string, parse: ParseLine<T>, after?: LineFile<T>): LineFile<T>[] {
  const found: LineFile<T>[] = [];
  for (let n = 0, missing = 0; missing < 2; n++) {
    const file = openLines(n === 0 ? path : `${path}.${n}`, parse);
    missing = file ? 0 : missing + 1;
    if (!file) continue;
    const known = file.inode === after?.inode || found.some(({ inode }) => inode === file.inode);
    if (!known) found.unshift(file);
    else file.close();
    if (file.inode === after?.inode) break;
  }
  return found;
}
