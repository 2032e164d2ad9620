/**
 * Tar headers as bytes, the reverse of unpack/tar-header.ts and unpack/pax.ts: POSIX.1-1988 ustar, with a pax extended header in front
 * where an entry says more than fits.
 *
 * tar-stream, which writes archives of our own documents, takes names and pax values for UTF-8 text. Names of files are bytes, and
 * `security.capability` is a binary value that would come out longer than it went in: so a tree is written by this.
 */
import type { ByteString, EntryType, TarEntry } from '../unpack/tar-entry.ts';

/** What a header can say of an entry; holes of a file are not kept. */
export type PackEntry = Omit<TarEntry, 'atime' | 'sparse'>;

const BLOCK = 512;
const SECOND = 1_000_000_000n;
const ASCII = /^\p{ASCII}*$/u;
const NAME_LENGTH = 100;
/** Largest numbers of seven and of eleven octal digits. */
const MAX_7 = 0o7777777;
const MAX_11 = 0o77777777777;

const FLAGS: Readonly<Record<EntryType, string>> = {
  file: '0',
  hardlink: '1',
  symlink: '2',
  character: '3',
  block: '4',
  directory: '5',
  fifo: '6',
};

/** The header of an entry, with its extended header if it needs one: whole blocks. Its content follows, then {@link padding}. */
export function encodeTarHeader(entry: PackEntry): Buffer {
  const records = paxRecords(entry);
  const block = headerBlock(entry, entry.path, FLAGS[entry.type], entry.size);
  if (records.length === 0) return block;
  const body = Buffer.concat(records);
  const extended: PackEntry = { ...entry, uid: 0, gid: 0, mode: 0o644, linkpath: '', major: 0, minor: 0 };
  const first = headerBlock(extended, `PaxHeaders/${baseName(entry.path)}`, 'x', body.length);
  return Buffer.concat([first, body, padding(body.length), block]);
}

/** Zeros that fill the last block of `size` bytes of content. */
export const padding = (size: number): Buffer => Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);

/** Two blocks of zeros. */
export const endOfArchive = (): Buffer => Buffer.alloc(2 * BLOCK);

const baseName = (path: ByteString): ByteString => path.slice(path.lastIndexOf('/', path.length - 2) + 1);

const isPlain = (text: ByteString): boolean => text.length <= NAME_LENGTH && ASCII.test(text);

/** What does not fit the header. */
function paxRecords(entry: PackEntry): Buffer[] {
  const { path, linkpath, size, uid, gid, mtime } = entry;
  const records: Buffer[] = [];
  const add = (key: string, value: string | Buffer): void => {
    records.push(paxRecord(key, value));
  };
  if (!isPlain(path)) add('path', path);
  if (!isPlain(linkpath)) add('linkpath', linkpath);
  if (size > MAX_11) add('size', String(size));
  if (uid > MAX_7) add('uid', String(uid));
  if (gid > MAX_7) add('gid', String(gid));
  if (mtime < 0n || mtime % SECOND !== 0n || mtime / SECOND > MAX_11) add('mtime', paxTime(mtime));
  for (const [name, value] of entry.xattrs) {
    if (name.includes('=')) add(`LIBARCHIVE.xattr.${urlEncoded(name)}`, value.toString('base64'));
    else add(`SCHILY.xattr.${name}`, value);
  }
  return records;
}

/** `LENGTH KEY=VALUE\n`, where the length counts its own digits. */
function paxRecord(key: string, value: string | Buffer): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value, 'latin1') : value;
  const rest = key.length + bytes.length + 3;
  let length = rest + 1;
  while (String(length).length + rest !== length) length = String(length).length + rest;
  return Buffer.concat([Buffer.from(`${length} ${key}=`, 'latin1'), bytes, Buffer.from('\n')]);
}

const urlEncoded = (name: ByteString): string =>
  name.replace(/[^A-Za-z0-9._-]/g, (c) => `%${c.charCodeAt(0).toString(16).padStart(2, '0').toUpperCase()}`);

/** Nanoseconds since 1970 as seconds with a fraction. */
function paxTime(time: bigint): string {
  const positive = time < 0n ? -time : time;
  const fraction = (positive % SECOND).toString().padStart(9, '0').replace(/0+$/, '');
  return `${time < 0n ? '-' : ''}${positive / SECOND}${fraction === '' ? '' : `.${fraction}`}`;
}

function headerBlock(entry: PackEntry, name: ByteString, flag: string, size: number): Buffer {
  const block = Buffer.alloc(BLOCK);
  const seconds = entry.mtime < 0n ? 0 : Number(entry.mtime / SECOND);
  block.write(name.slice(0, NAME_LENGTH), 0, 'latin1');
  octal(block, 100, 8, entry.mode);
  octal(block, 108, 8, entry.uid > MAX_7 ? 0 : entry.uid);
  octal(block, 116, 8, entry.gid > MAX_7 ? 0 : entry.gid);
  octal(block, 124, 12, size > MAX_11 ? 0 : size);
  octal(block, 136, 12, seconds > MAX_11 ? 0 : seconds);
  block.write(flag, 156, 'latin1');
  block.write(entry.linkpath.slice(0, NAME_LENGTH), 157, 'latin1');
  block.write('ustar\x0000', 257, 'latin1');
  octal(block, 329, 8, entry.major);
  octal(block, 337, 8, entry.minor);
  block.fill(0x20, 148, 156);
  let sum = 0;
  for (const byte of block) sum += byte;
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

/** `width` counts the NUL at the end. */
function octal(block: Buffer, at: number, width: number, value: number): void {
  block.write(value.toString(8).padStart(width - 1, '0'), at, 'latin1');
}
