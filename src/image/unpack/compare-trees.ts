/**
 * Whether a tree is still what was unpacked: names, types, modes, owners, times, links, extended attributes and content. Nothing is
 * followed, so that a tree that somebody has changed leads nowhere.
 */
import * as fs from 'node:fs';
import type { UnpackHost } from './host.ts';
import { type ByteString, displayName, toFsPath } from './tar-entry.ts';

/** More are not told: whoever lost that much needs no list. */
const MOST = 10;
const CHUNK = 1 << 20;

/** `etc/passwd: its content`, `usr/bin: missing`. Throws the system's error. */
export function compareTrees(host: UnpackHost, expected: string, found: string): string[] {
  const differences: string[] = [];
  const tell = (path: ByteString, what: string): void => {
    if (differences.length < MOST) differences.push(`${displayName(path === '' ? '.' : path)}: ${what}`);
  };
  const visit = (path: ByteString): void => {
    const [a, b] = [`${expected}/${path}`, `${found}/${path}`];
    const stats = fs.lstatSync(toFsPath(a), { bigint: true });
    const other = fs.lstatSync(toFsPath(b), { bigint: true, throwIfNoEntry: false });
    if (other === undefined) {
      tell(path, 'missing');
      return;
    }
    const what = difference(host, a, b, stats, other);
    if (what !== undefined) tell(path, what);
    if (!stats.isDirectory() || !other.isDirectory()) return;
    const names = new Set(fs.readdirSync(toFsPath(a), 'latin1'));
    const inner = (name: ByteString): ByteString => (path === '' ? name : `${path}/${name}`);
    for (const name of fs.readdirSync(toFsPath(b), 'latin1'))
      if (!names.has(name)) tell(inner(name), 'not of the layer');
    for (const name of names) if (differences.length < MOST) visit(inner(name));
  };
  visit('');
  return differences;
}

/** What of two existing files differs, in a word or two. */
function difference(
  host: UnpackHost,
  a: ByteString,
  b: ByteString,
  stats: fs.BigIntStats,
  other: fs.BigIntStats,
): string | undefined {
  const isDirectory = stats.isDirectory();
  if ((stats.mode & 0o170000n) !== (other.mode & 0o170000n)) return 'its type';
  if (stats.mode !== other.mode) return `its mode, ${octal(other.mode)} instead of ${octal(stats.mode)}`;
  if (stats.uid !== other.uid || stats.gid !== other.gid)
    return `its owner, ${other.uid}:${other.gid} instead of ${stats.uid}:${stats.gid}`;
  if (!isDirectory && stats.size !== other.size)
    return `its size, ${other.size} instead of ${stats.size} bytes`;
  if (!isDirectory && stats.nlink !== other.nlink) return 'its hard links';
  if (stats.rdev !== other.rdev) return 'its device number';
  if (stats.mtimeNs !== other.mtimeNs && !isWhiteout(stats)) return 'its time';
  if (stats.isSymbolicLink()) {
    const [target, now] = [a, b].map((path) => fs.readlinkSync(toFsPath(path), 'latin1'));
    return target === now ? undefined : 'its target';
  }
  if (!stats.isFile() && !isDirectory) return undefined;
  return contentDifference(host, a, b, stats.isFile());
}

/** A whiteout is no file of the layer, but a sign of ours that one is gone: its time is when it was made. */
const isWhiteout = ({ mode, rdev }: fs.BigIntStats): boolean =>
  (mode & 0o170000n) === 0o20000n && rdev === 0n;

function contentDifference(
  host: UnpackHost,
  a: ByteString,
  b: ByteString,
  isFile: boolean,
): string | undefined {
  const flags = fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK;
  const one = fs.openSync(toFsPath(a), flags);
  try {
    const two = fs.openSync(toFsPath(b), flags);
    try {
      if (!sameXattrs(host.readXattrs(one), host.readXattrs(two))) return 'its extended attributes';
      return isFile && !sameContent(one, two) ? 'its content' : undefined;
    } finally {
      fs.closeSync(two);
    }
  } finally {
    fs.closeSync(one);
  }
}

function sameXattrs(a: ReadonlyMap<string, Buffer>, b: ReadonlyMap<string, Buffer>): boolean {
  return a.size === b.size && [...a].every(([name, value]) => b.get(name)?.equals(value) === true);
}

const buffers = { a: Buffer.alloc(0), b: Buffer.alloc(0) };

function sameContent(one: number, two: number): boolean {
  if (buffers.a.length === 0) Object.assign(buffers, { a: Buffer.alloc(CHUNK), b: Buffer.alloc(CHUNK) });
  for (;;) {
    const count = fs.readSync(one, buffers.a);
    if (count !== fs.readSync(two, buffers.b)) return false;
    if (count === 0) return true;
    if (buffers.a.compare(buffers.b, 0, count, 0, count) !== 0) return false;
  }
}

const octal = (mode: bigint): string => (mode & 0o7777n).toString(8);
