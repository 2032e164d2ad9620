/** How much room a tree takes, as du(1) has it: blocks, hard links once, no other file system's. */
import { type Dir, lstatSync, opendirSync } from 'node:fs';
import { join } from 'node:path';

const BLOCK_BYTES = 512;

/** Bytes below and of `directory`; 0 when it is not there. Throws the system's error. */
export function measureTree(directory: string): number {
  const top = lstatSync(directory, { throwIfNoEntry: false });
  if (top === undefined) return 0;
  const linked = new Set<number>();
  let blocks = top.blocks;
  const visit = (path: string): void => {
    using entries: Dir = opendirSync(Buffer.from(path, 'latin1'), { encoding: 'latin1' });
    for (let entry = entries.readSync(); entry; entry = entries.readSync()) {
      const inner = join(path, entry.name);
      const stat = lstatSync(Buffer.from(inner, 'latin1'), { throwIfNoEntry: false });
      if (stat === undefined || stat.dev !== top.dev) continue;
      if (stat.nlink > 1 && !stat.isDirectory()) {
        if (linked.has(stat.ino)) continue;
        linked.add(stat.ino);
      }
      blocks += stat.blocks;
      if (stat.isDirectory()) visit(inner);
    }
  };
  if (top.isDirectory()) visit(directory);
  return blocks * BLOCK_BYTES;
}
