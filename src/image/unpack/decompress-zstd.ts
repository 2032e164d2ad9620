/** zstd data of any number of frames, each given to a decompressor of its own (see zstd-frames.ts for why). */
import { pipeline, Readable } from 'node:stream';
import { createZstdDecompress, zstdDecompressSync } from 'node:zlib';
import { tsrunError } from '../../errors.ts';
import { ZstdFrameWalker } from './zstd-frames.ts';

/** A frame that is at hand as a whole, and becomes no more than this, is decompressed at once: 70 instead of 350 µs. */
const MAX_AT_ONCE = 4 << 20;

/** @param onInput called with the count of compressed bytes as they are taken */
export async function* decompressZstd(
  input: Readable,
  chunkSize: number,
  onInput: (count: number) => void,
): AsyncGenerator<Buffer> {
  const frames = new FrameSource(input, onInput);
  for (let first = await frames.piece(); first; first = await frames.piece()) {
    const atOnce = first.ends ? tryAtOnce(first.bytes) : undefined;
    if (atOnce) {
      yield atOnce;
      continue;
    }
    const stream = createZstdDecompress({ chunkSize });
    // an error destroys `stream`, whose iteration then throws it
    pipeline(Readable.from(frames.restOfFrame(first)), stream, () => undefined);
    yield* stream as AsyncIterable<Buffer>;
  }
}

interface Piece {
  bytes: Buffer;
  /** The frame ends with this piece. */
  ends: boolean;
}

/** Cuts the input into pieces that never hold bytes of two frames. */
class FrameSource {
  readonly #input: AsyncIterator<Buffer>;
  readonly #onInput: (count: number) => void;
  readonly #walker = new ZstdFrameWalker();
  #chunk: Buffer = Buffer.alloc(0);
  #at = 0;

  constructor(input: Readable, onInput: (count: number) => void) {
    this.#input = (input as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
    this.#onInput = onInput;
  }

  /** undefined: the data ended, after a whole frame. */
  async piece(): Promise<Piece | undefined> {
    while (this.#at === this.#chunk.length) {
      const { value, done } = await this.#input.next();
      if (done) {
        if (this.#walker.isBetween) return undefined;
        throw damaged('unexpected end of file');
      }
      this.#chunk = value as Buffer;
      this.#at = 0;
      this.#onInput(this.#chunk.length);
    }
    const walked = this.#walker.walk(this.#chunk, this.#at);
    if (!walked) throw damaged('this is no zstd frame');
    const bytes = this.#chunk.subarray(this.#at, walked.at);
    this.#at = walked.at;
    return { bytes, ends: walked.ends };
  }

  async *restOfFrame(first: Piece): AsyncGenerator<Buffer> {
    let piece: Piece | undefined = first;
    while (piece) {
      yield piece.bytes;
      if (piece.ends) return;
      piece = await this.piece();
    }
  }
}

function tryAtOnce(frame: Buffer): Buffer | undefined {
  try {
    return zstdDecompressSync(frame, { maxOutputLength: MAX_AT_ONCE });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE') return undefined;
    throw error;
  }
}

const damaged = (problem: string): Error =>
  tsrunError('ERR_TSRUN_LAYER_COMPRESSION', { compression: 'zstd', problem });
