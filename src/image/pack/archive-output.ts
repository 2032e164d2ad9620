/** The archive on its way out: collected into large writes, counted, and digested when that is wanted. */
import { createHash, type Hash } from 'node:crypto';
import * as fs from 'node:fs';
import { tsrunError } from '../../errors.ts';
import type { DiffId } from '../../spec/image.ts';
import { errnoOf } from '../unpack/host.ts';

const CAPACITY = 1 << 20;
/** How long to wait before a pipe that was full is tried again, milliseconds. */
const PAUSE_MS = 2;

export class ArchiveOutput {
  readonly #fd: number;
  readonly #hash: Hash | undefined;
  readonly #buffer = Buffer.allocUnsafe(CAPACITY);
  #used = 0;
  /** Bytes given so far. */
  size = 0;

  constructor(fd: number, digest: boolean) {
    this.#fd = fd;
    this.#hash = digest ? createHash('sha256') : undefined;
  }

  /** @throws ERR_TSRUN_ARCHIVE_WRITE */
  write(bytes: Buffer): void {
    this.size += bytes.length;
    if (bytes.length > CAPACITY - this.#used) this.flush();
    if (bytes.length > CAPACITY) this.#send(bytes);
    else this.#used += bytes.copy(this.#buffer, this.#used);
  }

  /** Writes out what was collected. */
  flush(): void {
    this.#send(this.#buffer.subarray(0, this.#used));
    this.#used = 0;
  }

  /** After the last flush(). */
  digest(): DiffId | undefined {
    return this.#hash && (`sha256:${this.#hash.digest('hex')}` as DiffId);
  }

  #send(bytes: Buffer): void {
    this.#hash?.update(bytes);
    for (let at = 0; at < bytes.length; ) at += this.#writeSome(bytes, at);
  }

  /** Somebody else who has the same pipe or terminal open may have made it non-blocking. */
  #writeSome(bytes: Buffer, at: number): number {
    try {
      return fs.writeSync(this.#fd, bytes, at);
    } catch (error) {
      if (errnoOf(error) !== 'EAGAIN') throw tsrunError('ERR_TSRUN_ARCHIVE_WRITE', {}, error);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
      return 0;
    }
  }
}
