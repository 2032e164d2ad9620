/** The worker's stdin (worker-protocol.ts), frame by frame. */
import type { Readable } from 'node:stream';
import { FRAME_HEADER_SIZE } from './worker-protocol.ts';

export class FrameReader {
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(input: Readable) {
    this.#chunks = input[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  }

  /** The next frame's payload; undefined at the end of the input. */
  async next(): Promise<Buffer | undefined> {
    if (!(await this.#fill(FRAME_HEADER_SIZE))) return undefined;
    const end = FRAME_HEADER_SIZE + this.#rest.readUInt32LE();
    await this.#fill(end);
    const payload = this.#rest.subarray(FRAME_HEADER_SIZE, end);
    this.#rest = this.#rest.subarray(end);
    return payload;
  }

  /** Makes sure of `size` bytes; false when the input has ended before the first of them. */
  async #fill(size: number): Promise<boolean> {
    while (this.#rest.length < size) {
      const { value, done } = await this.#chunks.next();
      if (done !== true) this.#rest = Buffer.concat([this.#rest, value]);
      else if (this.#rest.length === 0) return false;
      else throw new Error('the input ended inside a frame');
    }
    return true;
  }
}
