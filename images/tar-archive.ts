/**
 * Writes layer archives: POSIX ustar with pax records (pax(1); image-spec layer.md), every field as told, nothing of this machine.
 *
 * tar-stream is not used here, because its pax values are UTF-8 text, and `security.capability` is not.
 */

/** What every entry has. `path` is relative, without a leading or trailing slash; `mode` is the permission bits, 0 to 0o7777. */
interface Common {
  path: string;
  mode: number;
  uid?: number;
  gid?: number;
  /** seconds since 1970; {@link FIXED_TIME} unless told */
  mtime?: number;
  /** name → value, as `SCHILY.xattr.<name>` */
  xattrs?: Readonly<Record<string, Uint8Array>>;
}

export type Entry =
  | (Common & { type: 'file'; content: Uint8Array | string })
  | (Common & { type: 'directory' | 'fifo' })
  | (Common & { type: 'symlink' | 'hardlink'; target: string })
  | (Common & { type: 'character-device'; major: number; minor: number });

/** 2025-01-01T00:00:00Z: the time of everything that has none of its own, so that the same recipe gives the same digest. */
export const FIXED_TIME = 1_735_689_600;

const BLOCK = 512;
const TYPE_FLAG = {
  file: '0',
  hardlink: '1',
  symlink: '2',
  'character-device': '3',
  directory: '5',
  fifo: '6',
} as const;

/** Lengths of the ustar fields that may overflow into a pax record. */
const NAME_LENGTH = 100;

interface HeaderFields {
  name: string;
  mode: number;
  uid: number;
  gid: number;
  size: number;
  mtime: number;
  flag: string;
  link: string;
  major: number;
  minor: number;
}

/** One header block; names that do not fit are cut, the pax record before it has them whole. */
function headerBlock(h: HeaderFields): Buffer {
  const block = Buffer.alloc(BLOCK);
  const text = (value: string, offset: number, length: number): void => {
    Buffer.from(value).copy(block, offset, 0, length);
  };
  const octal = (value: number, offset: number, length: number): void =>
    text(value.toString(8).padStart(length - 1, '0'), offset, length - 1);
  text(h.name, 0, NAME_LENGTH);
  octal(h.mode, 100, 8);
  octal(h.uid, 108, 8);
  octal(h.gid, 116, 8);
  octal(h.size, 124, 12);
  octal(h.mtime, 136, 12);
  text('        ', 148, 8);
  text(h.flag, 156, 1);
  text(h.link, 157, NAME_LENGTH);
  text('ustar\u000000', 257, 8);
  octal(h.major, 329, 8);
  octal(h.minor, 337, 8);
  const sum = block.reduce((total, byte) => total + byte, 0);
  text(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 8);
  return block;
}

/** `<length> <key>=<value>\n`, the length counting its own digits. */
function paxRecord(key: string, value: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(` ${key}=`), value, Buffer.from('\n')]);
  let length = body.length;
  while (String(length).length + body.length !== length) length = String(length).length + body.length;
  return Buffer.concat([Buffer.from(String(length)), body]);
}

const padding = (size: number): Buffer => Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);

const isPlain = (name: string): boolean =>
  Buffer.byteLength(name) <= NAME_LENGTH && /^[\x20-\x7e]*$/.test(name);

function paxRecords(entry: Entry, name: string): Buffer[] {
  const records: Buffer[] = [];
  if (!isPlain(name)) records.push(paxRecord('path', Buffer.from(name)));
  if ('target' in entry && !isPlain(entry.target))
    records.push(paxRecord('linkpath', Buffer.from(entry.target)));
  if (entry.mtime !== undefined && !Number.isInteger(entry.mtime)) {
    records.push(paxRecord('mtime', Buffer.from(entry.mtime.toFixed(9))));
  }
  for (const [key, value] of Object.entries(entry.xattrs ?? {})) {
    records.push(paxRecord(`SCHILY.xattr.${key}`, value));
  }
  return records;
}

function entryBlocks(entry: Entry): Buffer[] {
  const name = entry.type === 'directory' ? `${entry.path}/` : entry.path;
  const content = entry.type === 'file' ? Buffer.from(entry.content) : Buffer.alloc(0);
  const device = entry.type === 'character-device' ? entry : { major: 0, minor: 0 };
  const fields: HeaderFields = {
    name,
    mode: entry.mode,
    uid: entry.uid ?? 0,
    gid: entry.gid ?? 0,
    size: content.length,
    mtime: Math.floor(entry.mtime ?? FIXED_TIME),
    flag: TYPE_FLAG[entry.type],
    link: 'target' in entry ? entry.target : '',
    major: device.major,
    minor: device.minor,
  };
  const pax = Buffer.concat(paxRecords(entry, name));
  const extended = {
    ...fields,
    name: 'pax',
    mode: 0o644,
    size: pax.length,
    flag: 'x',
    link: '',
    major: 0,
    minor: 0,
  };
  return [
    ...(pax.length ? [headerBlock(extended), pax, padding(pax.length)] : []),
    headerBlock(fields),
    content,
    padding(content.length),
  ];
}

/** The archive of `entries`, in their order, uncompressed. */
export function tarArchive(entries: Iterable<Entry>): Buffer {
  const blocks: Buffer[] = [];
  for (const entry of entries) blocks.push(...entryBlocks(entry));
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]);
}

type Options = Partial<Pick<Common, 'mode' | 'uid' | 'gid' | 'mtime' | 'xattrs'>>;

/** Short forms for recipes. */
export const directory = (path: string, options: Options = {}): Entry => ({
  mode: 0o755,
  ...options,
  type: 'directory',
  path,
});
export const file = (path: string, content: Uint8Array | string, options: Options = {}): Entry => ({
  mode: 0o644,
  ...options,
  type: 'file',
  path,
  content,
});
export const symlink = (path: string, target: string, options: Options = {}): Entry => ({
  mode: 0o777,
  ...options,
  type: 'symlink',
  path,
  target,
});
export const hardlink = (path: string, target: string, options: Options = {}): Entry => ({
  mode: 0o644,
  ...options,
  type: 'hardlink',
  path,
  target,
});
