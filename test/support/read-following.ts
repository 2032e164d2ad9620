/** Reads a file while it grows; for tests, and for programs that they run. */
import { closeSync } from 'node:fs';
import { openGrowing, readGrowing } from '../../src/image/unpack/read-growing.ts';
import type { GrowingFile } from '../../src/store/growing-file.ts';

/** All bytes, from the first. */
export async function* readFollowing(file: GrowingFile): AsyncGenerator<Buffer, void> {
  const fd = openGrowing(file.paths);
  try {
    yield* readGrowing(fd, file.growth());
  } finally {
    closeSync(fd);
  }
}
