/** A blob's bytes, read from its file while it is still being written (src/store/growing-file.ts). */
import { openSync, readSync } from 'node:fs';
import { tellOfBuffer } from '../../sys/collect-buffers.ts';
import { errnoOf } from './host.ts';

/** Large: each piece costs the decompressor two turns from one thread to another. */
const CHUNK_BYTES = 1 << 20;

/** Opens the file by the one of its names that it has now. @throws the system's error when it has none of them */
export function openGrowing(paths: readonly string[]): number {
  // A file that gets its next name between two tries is found under that, and one that began anew under the first.
  for (const path of paths) {
    try {
      return openSync(path, 'r');
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
    }
  }
  return openSync(paths[0] ?? '', 'r');
}

/** @param growth how many bytes there are, and then how many more; it ends with the file */
export async function* readGrowing(fd: number, growth: AsyncIterable<number>): AsyncGenerator<Buffer, void> {
  let position = 0;
  for await (const available of growth) {
    while (position < available) {
      const chunk = Buffer.allocUnsafeSlow(Math.min(CHUNK_BYTES, available - position));
      // From the page cache, where the bytes have just been written: a thread would cost more than the copy.
      const count = readSync(fd, chunk, 0, chunk.length, position);
      if (count === 0) throw new Error('the blob became shorter while it was read');
      position += count;
      tellOfBuffer(count);
      yield chunk.subarray(0, count);
    }
  }
}
