/** The worker's stdin (worker-protocol.ts): messages, and blobs in pieces as they come. */
import { once } from 'node:events';
import { PassThrough, type Readable } from 'node:stream';
import { FRAME_HEADER_SIZE } from './worker-protocol.ts';

/** Of a blob, ahead of whoever reads it. */
const BUFFERED_BYTES = 1 << 20;

export class FrameReader {
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(input: Readable) {
    this.#chunks = input[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  }

  /** The next frame as a whole; undefined at the end of the input. */
  async message(): Promise<Buffer | undefined> {
    const length = await this.#length();
    if (length === undefined) return undefined;
    const pieces: Buffer[] = [];
    for await (const piece of this.#payload(length)) pieces.push(piece);
    return Buffer.concat(pieces);
  }

  /** The blob that comes next, to be read once. `delivered` resolves when all of it was taken from the input, read or not. */
  blob(): { bytes: Readable; delivered: Promise<void> } {
    const bytes = new PassThrough({ highWaterMark: BUFFERED_BYTES });
    const delivered = this.#deliver(bytes).catch((error: Error) => {
      bytes.destroy(error);
      throw error;
    });
    delivered.catch(() => undefined); // the reader of `bytes` hears of it too
    return { bytes, delivered };
  }

  async #deliver(bytes: PassThrough): Promise<void> {
    for (;;) {
      const length = await this.#length();
      if (length === undefined) throw new Error('the input ended inside a layer');
      if (length === 0) break;
      for await (const piece of this.#payload(length)) {
        if (bytes.destroyed || bytes.write(piece)) continue;
        const heard = new AbortController();
        const wait = { signal: heard.signal };
        await Promise.race([once(bytes, 'drain', wait), once(bytes, 'close', wait)]).catch(() => undefined);
        heard.abort();
      }
    }
    bytes.end();
  }

  async #length(): Promise<number | undefined> {
    const isMore = await this.#fill();
    if (!isMore) return undefined;
    while (this.#rest.length < FRAME_HEADER_SIZE) {
      const { value, done } = await this.#chunks.next();
      if (done === true) throw new Error('the input ended inside a frame');
      this.#rest = Buffer.concat([this.#rest, value]);
    }
    const length = this.#rest.readUInt32LE();
    this.#rest = this.#rest.subarray(FRAME_HEADER_SIZE);
    return length;
  }

  async *#payload(length: number): AsyncGenerator<Buffer> {
    for (let left = length; left > 0; ) {
      if (!(await this.#fill())) throw new Error('the input ended inside a frame');
      const piece = this.#rest.subarray(0, left);
      this.#rest = this.#rest.subarray(piece.length);
      left -= piece.length;
      yield piece;
    }
  }

  /** Makes sure of at least one byte; false at the end of the input. */
  async #fill(): Promise<boolean> {
    while (this.#rest.length === 0) {
      const { value, done } = await this.#chunks.next();
      if (done === true) return false;
      this.#rest = value;
    }
    return true;
  }
}
