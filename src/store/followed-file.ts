/**
 * A file that one part of the program writes while another reads it: the reader waits at the end until there is more.
 *
 * This is how a layer is unpacked while it arrives, without a second copy in memory: the download never waits for the unpacker,
 * and the unpacker's back-pressure only holds up its own reading.
 */
import { closeSync, openSync, read } from 'node:fs';
import { promisify } from 'node:util';
import { tellOfBuffer } from '../sys/collect-buffers.ts';

const readAsync = promisify(read);
const CHUNK_BYTES = 256 * 1024;

export class FollowedFile {
  #path: string;
  #available: number;
  #ended = false;
  #failure: { reason: unknown } | undefined;
  #change = Promise.withResolvers<void>();
  /** The piece that came last, for readers that had read all before it. */
  #latest: { start: number; bytes: Uint8Array } | undefined;

  constructor(path: string, available: number) {
    this.#path = path;
    this.#available = available;
  }

  /** `bytes` have been added to the file, and are not changed any more. Whoever waits for them gets them without reading the file. */
  grow(bytes: Uint8Array): void {
    // An empty piece starts where it ends: a reader there would be given it for ever.
    if (bytes.length === 0) return;
    this.#latest = { start: this.#available, bytes };
    this.#available += bytes.length;
    this.#notify();
  }

  /** There will be no more bytes, and the file has its final name now. */
  end(path: string): void {
    this.#ended = true;
    this.#latest = undefined;
    this.#path = path;
    this.#notify();
  }

  /** There will be no more bytes, and those read are not to be used. */
  fail(reason: unknown): void {
    if (this.#ended) return;
    this.#failure ??= { reason };
    this.#notify();
  }

  #notify(): void {
    this.#change.resolve();
    this.#change = Promise.withResolvers<void>();
  }

  /** All bytes from the first, in pieces; throws what fail() was given. Survives the file's renaming and removal once begun. */
  async *read(): AsyncGenerator<Uint8Array, void> {
    const fd = openSync(this.#path, 'r');
    try {
      let position = 0;
      for (;;) {
        if (this.#failure !== undefined) throw this.#failure.reason;
        if (this.#latest?.start === position) {
          const { bytes } = this.#latest;
          position += bytes.length;
          yield bytes;
        } else if (position < this.#available) {
          const buffer = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, this.#available - position));
          const { bytesRead } = await readAsync(fd, buffer, 0, buffer.length, position);
          if (bytesRead === 0) throw new Error(`${this.#path} became shorter while it was read`);
          position += bytesRead;
          tellOfBuffer(buffer.length);
          yield buffer.subarray(0, bytesRead);
        } else if (this.#ended) {
          return;
        } else {
          await this.#change.promise;
        }
      }
    } finally {
      closeSync(fd);
    }
  }
}
