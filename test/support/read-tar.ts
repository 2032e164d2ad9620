import type { TarEntry } from '../../src/image/unpack/tar-entry.ts';
import { TarReader } from '../../src/image/unpack/tar-reader.ts';

export interface ReadEntry extends TarEntry {
  /** Content with its holes as zeros. */
  content: Buffer;
}

/** Reads a whole archive, given to the reader in pieces of the sizes that `pieces` yields (all at once by default). */
export function readTar(archive: Buffer, pieces: Iterable<number> = [archive.length]): ReadEntry[] {
  const entries: ReadEntry[] = [];
  let ended = 0;
  const reader = new TarReader({
    entry: (entry) => entries.push({ ...entry, content: Buffer.alloc(entry.size) }),
    content: (chunk, position) => chunk.copy((entries.at(-1) as ReadEntry).content, position),
    end: () => {
      ended++;
    },
  });
  let at = 0;
  for (const size of pieces) {
    reader.write(archive.subarray(at, at + size));
    at += size;
  }
  reader.write(archive.subarray(at));
  reader.finish();
  if (ended !== entries.length) throw new Error(`${entries.length} entries began, ${ended} ended`);
  return entries;
}
