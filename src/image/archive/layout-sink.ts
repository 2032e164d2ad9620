/**
 * An OCI image layout in a directory: a new one, or one to which an image is added, as skopeo does. What was whole stays so at any moment:
 * blobs appear by rename, the index last. The directory is locked, so that of two copies at a time both are in the index.
 */
import { existsSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { tsrunError } from '../../errors.ts';
import { DIGEST_ALGORITHMS } from '../../spec/digest.ts';
import type { Index } from '../../spec/image.ts';
import { type FileLock, waitForLock } from '../../store/lock.ts';
import { makeDirectories } from '../../sys/make-directories.ts';
import { directoryFiles } from './file-set.ts';
import { DirectorySink, isUnused, writing } from './file-sink.ts';
import { blobFolder, INDEX, LAYOUT_MARK, MARK } from './layout-files.ts';
import { layoutIndex } from './layout-images.ts';
import { mergeIndex } from './layout-index.ts';

const TEMPORARY = /^(?:[0-9a-f]{64}){1,2}\.new$/;

/** Throws ERR_TSRUN_USAGE unless images can be put there: nothing, an empty directory, or a layout, however unfinished; and ERR_TSRUN_OUTPUT_FILE. */
export function requireLayoutPlace(directory: string): void {
  if (isUnused(directory) || existsSync(join(directory, MARK))) return;
  throw tsrunError('ERR_TSRUN_USAGE', {
    problem: `the directory ${directory} is not empty, and no OCI layout`,
  });
}

/** Throws ERR_TSRUN_OUTPUT_FILE. */
async function lockLayout(directory: string, onWait: () => void): Promise<FileLock> {
  writing(directory, () => makeDirectories(directory));
  try {
    return await waitForLock(directory, { lockable: 'directory', onWait });
  } catch (error) {
    throw tsrunError('ERR_TSRUN_OUTPUT_FILE', { path: directory }, error);
  }
}

export class LayoutSink extends DirectorySink implements Disposable {
  readonly #lock: FileLock;
  readonly #old: Index | undefined;

  /**
   * Waits until nobody else writes there. Dispose of it.
   * @param onWait called once if somebody does
   * @throws as requireLayoutPlace(), and ERR_TSRUN_IMAGE_ARCHIVE, ERR_TSRUN_DOCUMENT for a layout that cannot be read
   */
  static async open(directory: string, onWait: () => void = () => {}): Promise<LayoutSink> {
    const lock = await lockLayout(directory, onWait);
    try {
      const sink = new LayoutSink(directory, lock);
      await sink.#begin();
      return sink;
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  private constructor(directory: string, lock: FileLock) {
    super(directory);
    requireLayoutPlace(directory);
    this.#lock = lock;
    this.#old = existsSync(join(directory, INDEX))
      ? layoutIndex(directoryFiles(directory, 'image layout'))
      : undefined;
  }

  override async file(name: string, content: string | Uint8Array): Promise<void> {
    const bytes = name === INDEX ? this.#merged(content.toString()) : content;
    if (name !== INDEX && this.#has(name, Buffer.byteLength(bytes))) return;
    await this.#replace(name, (temporary) => super.file(temporary, bytes));
  }

  override async stream(name: string, size: number, content: AsyncIterable<Uint8Array>): Promise<void> {
    if (!this.#has(name, size))
      return await this.#replace(name, (temporary) => super.stream(temporary, size, content));
    if (content instanceof Readable) content.destroy();
  }

  [Symbol.dispose](): void {
    this.#lock.release();
  }

  /** The mark is there first, so that whoever looks meanwhile, or after a copy that was killed, sees a layout; and what such a copy left goes. */
  async #begin(): Promise<void> {
    if (!existsSync(join(this.directory, MARK))) await super.file(MARK, LAYOUT_MARK);
    for (const algorithm of DIGEST_ALGORITHMS) {
      const blobs = join(this.directory, blobFolder(algorithm));
      for (const name of existsSync(blobs) ? writing(blobs, () => readdirSync(blobs)) : [])
        if (TEMPORARY.test(name)) writing(join(blobs, name), () => rmSync(join(blobs, name)));
    }
  }

  async #replace(name: string, write: (temporary: string) => Promise<void>): Promise<void> {
    const temporary = `${name}.new`;
    const [from, to] = [join(this.directory, temporary), join(this.directory, name)];
    try {
      await write(temporary);
      writing(to, () => renameSync(from, to));
    } catch (error) {
      if (existsSync(from)) rmSync(from);
      throw error;
    }
  }

  /** Blobs are called what they are; one that was cut has another size. */
  #has(name: string, size: number): boolean {
    return statSync(join(this.directory, name), { throwIfNoEntry: false })?.size === size;
  }

  #merged(text: string): string {
    const index = JSON.parse(text) as Index;
    return JSON.stringify(this.#old === undefined ? index : mergeIndex(this.#old, index));
  }
}
