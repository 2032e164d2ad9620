/** The files of an image as tools hand them around: a directory, or a tar archive. Names have slashes, and lead nowhere else. */
import { createReadStream, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type TsrunError, tsrunError } from '../../errors.ts';

export interface FileSet extends Disposable {
  /** How messages call it: `archive x.tar`. */
  readonly label: string;
  /** bytes; undefined when there is no such file. */
  size(name: string): number | undefined;
  /** A small file. Throws ERR_TSRUN_IMAGE_ARCHIVE when it is not there or has more than {@link MAX_DOCUMENT} bytes. */
  read(name: string): Buffer;
  /** The bytes from `start` on. Throws ERR_TSRUN_IMAGE_ARCHIVE when it is not there. */
  stream(name: string, start?: number): AsyncIterable<Buffer>;
}

/** Documents of images have some kilobytes. */
export const MAX_DOCUMENT = 8 << 20;
export const READ_BYTES = 256 * 1024;

export const archiveError = (label: string, problem: string, cause?: unknown): TsrunError =>
  tsrunError('ERR_TSRUN_IMAGE_ARCHIVE', { archive: label, problem }, cause);

/** The size of a file that is to be read whole, if that is reasonable. */
export function requireDocument(files: FileSet, name: string): number {
  const size = files.size(name);
  if (size === undefined) throw archiveError(files.label, `${name} is missing`);
  if (size <= MAX_DOCUMENT) return size;
  throw archiveError(files.label, `${name} has ${size} bytes, more than ${MAX_DOCUMENT >> 20} MiB`);
}

class DirectoryFiles implements FileSet {
  readonly label: string;
  readonly #directory: string;
  constructor(directory: string, label: string) {
    this.#directory = directory;
    this.label = label;
  }
  size(name: string): number | undefined {
    const stat = statSync(join(this.#directory, name), { throwIfNoEntry: false });
    return stat?.isFile() ? stat.size : undefined;
  }
  read(name: string): Buffer {
    requireDocument(this, name);
    try {
      return readFileSync(join(this.#directory, name));
    } catch (error) {
      throw archiveError(this.label, `${name} cannot be read`, error);
    }
  }
  async *stream(name: string, start = 0): AsyncGenerator<Buffer> {
    if (this.size(name) === undefined) throw archiveError(this.label, `${name} is missing`);
    yield* createReadStream(join(this.#directory, name), {
      start,
      highWaterMark: READ_BYTES,
    }) as AsyncIterable<Buffer>;
  }
  [Symbol.dispose](): void {}
}

/** @param kind what it is taken for: `image layout` */
export const directoryFiles = (directory: string, kind: string): FileSet =>
  new DirectoryFiles(directory, `${kind} ${directory}`);
