/** The first bytes of a stream, which say what it is, without losing them. */
import { Readable } from 'node:stream';

export interface TakenHead {
  /** `length` bytes at least; fewer when the stream has no more. */
  head: Buffer;
  /** All of the stream, from its first byte on. */
  all: Readable;
}

/** Reads until there are `length` bytes. Throws what reading throws. */
export async function takeHead(input: AsyncIterable<Uint8Array>, length: number): Promise<TakenHead> {
  const iterator = input[Symbol.asyncIterator]();
  let head = Buffer.alloc(0);
  while (head.length < length) {
    const next = await iterator.next();
    if (next.done) break;
    head = Buffer.concat([head, next.value]);
  }
  const rest = async function* (): AsyncGenerator<Uint8Array> {
    yield head;
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
  };
  return { head, all: Readable.from(rest(), { objectMode: false }) };
}
