import { createHash } from 'node:crypto';
import * as fs from 'node:fs';

const TYPE: Readonly<Record<number, string>> = {
  [fs.constants.S_IFREG]: 'file',
  [fs.constants.S_IFDIR]: 'dir',
  [fs.constants.S_IFLNK]: 'link',
  [fs.constants.S_IFIFO]: 'fifo',
  [fs.constants.S_IFCHR]: 'char',
  [fs.constants.S_IFBLK]: 'block',
};

/** Every file below `root`, itself included, as `[path, stats, full path]`, sorted by path. Names are latin1. */
function* walk(root: string): Generator<[string, fs.BigIntStats, Buffer]> {
  const pending = [''];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    const full = Buffer.from(path === '' ? root : `${root}/${path}`, 'latin1');
    const stats = fs.lstatSync(full, { bigint: true });
    yield [path, stats, full];
    if (!stats.isDirectory()) continue;
    for (const name of fs.readdirSync(full, 'latin1').sort().reverse())
      pending.push(path === '' ? name : `${path}/${name}`);
  }
}

/** One line per file below `root`: `path type mode` and `-> target` or `=content` (short ones), `0:0` for devices. */
export function listTree(root: string): string[] {
  const lines: string[] = [];
  for (const [path, stats, full] of walk(root)) {
    if (path === '') continue;
    const type = TYPE[Number(stats.mode) & fs.constants.S_IFMT];
    const mode = stats.isSymbolicLink() ? '' : ` ${(Number(stats.mode) & 0o7777).toString(8)}`;
    let rest = '';
    if (stats.isSymbolicLink()) rest = ` -> ${fs.readlinkSync(full, 'latin1')}`;
    else if (stats.isFile())
      rest = stats.size < 100n ? ` =${fs.readFileSync(full, 'latin1')}` : ` ${stats.size} bytes`;
    else if (stats.isCharacterDevice()) rest = ` ${stats.rdev >> 8n}:${stats.rdev & 0xffn}`;
    lines.push(`${path} ${type}${mode}${rest}`);
  }
  return lines;
}

/** A digest of everything that can be seen of a tree: names, types, owners, modes, link counts, times, content. */
export function hashTree(root: string): string {
  const hash = createHash('sha256');
  for (const [path, stats, full] of walk(root)) {
    const { mode, uid, gid, nlink, ino, mtimeNs, ctimeNs } = stats;
    hash.update(JSON.stringify([path, ...[mode, uid, gid, nlink, ino, mtimeNs, ctimeNs].map(String)]));
    if (stats.isSymbolicLink()) hash.update(fs.readlinkSync(full));
    else if (stats.isFile()) hash.update(fs.readFileSync(full));
  }
  return hash.digest('hex');
}
