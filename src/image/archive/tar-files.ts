import { closeSync, fstatSync, read, readSync } from 'node:fs';
import { promisify } from 'node:util';
import { archiveError, type FileSet, READ_BYTES, requireDocument } from './file-set.ts';
import { ArchiveProblem, cleanName, type IndexedEntry, indexTar } from './tar-index.ts';

const readAsync = promisify(read);

/** Links to links that are followed. */
const MAX_LINKS = 8;

/** The files of an uncompressed tar archive, read where they are. */
class TarFiles implements FileSet {
  readonly label: string;
  readonly #fd: number;
  readonly #entries: Map<string, IndexedEntry>;

  constructor(fd: number, label: string) {
    this.#fd = fd;
    this.label = label;
    try {
      this.#entries = indexTar((offset, length) => this.#readAt(offset, length), fstatSync(fd).size);
    } catch (error) {
      throw error instanceof ArchiveProblem ? archiveError(label, error.message) : error;
    }
  }

  size(name: string): number | undefined {
    return this.#find(name)?.size;
  }

  read(name: string): Buffer {
    const size = requireDocument(this, name);
    return this.#readAt(this.#find(name)?.offset ?? 0, size);
  }

  async *stream(name: string, start = 0): AsyncGenerator<Buffer> {
    const file = this.#find(name);
    if (file === undefined) throw archiveError(this.label, `${name} is missing`);
    const end = file.offset + file.size;
    // not by a stream of Node's, which closes the descriptor when its reader stops early
    for (let at = file.offset + start; at < end; ) {
      const buffer = Buffer.allocUnsafe(Math.min(READ_BYTES, end - at));
      const { bytesRead } = await readAsync(this.#fd, buffer, 0, buffer.length, at);
      if (bytesRead === 0) throw archiveError(this.label, `it is cut short in "${name}"`);
      yield buffer.subarray(0, bytesRead);
      at += bytesRead;
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }

  #find(written: string): { offset: number; size: number } | undefined {
    let name = this.#clean(written);
    for (let i = 0; i <= MAX_LINKS; i++) {
      const entry = this.#entries.get(name);
      if (entry?.kind !== 'link') return entry;
      name = entry.target;
    }
    throw archiveError(this.label, `its link "${written}" leads to nothing but links`);
  }

  /** A document of the archive names a file of it. */
  #clean(name: string): string {
    try {
      return cleanName(name);
    } catch (error) {
      throw error instanceof ArchiveProblem ? archiveError(this.label, error.message) : error;
    }
  }

  #readAt(offset: number, length: number): Buffer {
    const buffer = Buffer.alloc(length);
    for (let done = 0; done < length; ) {
      const count = readSync(this.#fd, buffer, done, length - done, offset + done);
      if (count === 0) throw new ArchiveProblem(`it is cut short at byte ${offset + done}`);
      done += count;
    }
    return buffer;
  }
}

/** Takes over the descriptor of an archive, and closes it. Throws ERR_TSRUN_IMAGE_ARCHIVE. */
export function tarFiles(fd: number, label: string): FileSet {
  try {
    return new TarFiles(fd, label);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}
