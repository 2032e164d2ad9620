/** The worker's stdin (worker-protocol.ts), frame by frame. */
import { read } from 'node:fs';
import { FRAME_HEADER_SIZE } from './worker-protocol.ts';

const PIECE_BYTES = 1 << 16;

/** One waits for the input, one inflates, one hashes or writes; whatever the user has set for programs of his own, it is not for us. */
const THREADS = 4;

/**
 * What comes through a pipe, read by a thread that waits for it: `process.stdin` would load node:net, which takes longer than a small layer.
 * The thread is one of those that inflate, so there must be others: call it before anything else asks for a thread.
 */
export async function* piecesOf(fd: number): AsyncGenerator<Buffer, void> {
  process.env.UV_THREADPOOL_SIZE = String(THREADS); // libuv looks when the first is wanted
  const piece = Buffer.allocUnsafeSlow(PIECE_BYTES);
  for (;;) {
    const count = await new Promise<number>((resolve, reject) => {
      read(fd, piece, 0, PIECE_BYTES, null, (error, bytes) => (error ? reject(error) : resolve(bytes)));
    });
    if (count === 0) return;
    yield Buffer.from(piece.subarray(0, count));
  }
}

export class FrameReader {
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(input: AsyncIterable<Buffer>) {
    this.#chunks = input[Symbol.asyncIterator]();
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
