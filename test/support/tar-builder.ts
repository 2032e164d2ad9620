/**
 * Writes tar archives header by header, lies included: what tar-stream and GNU tar cannot be made to write.
 *
 * Names are byte strings (latin1), as in src/image/unpack.
 */
const BLOCK = 512;

export interface HeaderFields {
  name?: string;
  mode?: number;
  uid?: number | Buffer;
  gid?: number | Buffer;
  size?: number | Buffer;
  mtime?: number | Buffer;
  type?: string;
  linkname?: string;
  /** 'ustar' by default */
  magic?: 'ustar' | 'gnu' | 'v7';
  prefix?: string;
  major?: number;
  minor?: number;
  /** Changes the finished block, before its checksum is written. */
  patch?: (block: Buffer) => void;
  /** Instead of the right one. */
  checksum?: number;
}

/** Records of a pax header. A list keeps order and duplicates. */
export type PaxFields = Record<string, string | Buffer> | readonly (readonly [string, string | Buffer])[];

const octal = (block: Buffer, at: number, width: number, value: number | Buffer): void => {
  if (typeof value === 'number') block.write(value.toString(8).padStart(width - 1, '0'), at, width, 'latin1');
  else value.copy(block, at, 0, width);
};

/** `value` as a big-endian number of `width` bytes with the marker bit (GNU, star). */
export function base256(value: bigint, width: number): Buffer {
  const bytes = Buffer.alloc(width);
  let rest = BigInt.asUintN(8 * width, value);
  for (let i = width - 1; i >= 0; i--) {
    bytes[i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  bytes[0] = (bytes[0] ?? 0) | 0x80;
  return bytes;
}

export function tarHeader(fields: HeaderFields): Buffer {
  const block = Buffer.alloc(BLOCK);
  const magic = fields.magic ?? 'ustar';
  block.write(fields.name ?? 'file', 0, 100, 'latin1');
  octal(block, 100, 8, fields.mode ?? 0o644);
  octal(block, 108, 8, fields.uid ?? 0);
  octal(block, 116, 8, fields.gid ?? 0);
  octal(block, 124, 12, fields.size ?? 0);
  octal(block, 136, 12, fields.mtime ?? 1_700_000_000);
  block.write(fields.type ?? '0', 156, 1, 'latin1');
  block.write(fields.linkname ?? '', 157, 100, 'latin1');
  if (magic !== 'v7') {
    block.write(magic === 'ustar' ? 'ustar\x0000' : 'ustar  \0', 257, 8, 'latin1');
    octal(block, 329, 8, fields.major ?? 0);
    octal(block, 337, 8, fields.minor ?? 0);
    if (magic === 'ustar') block.write(fields.prefix ?? '', 345, 155, 'latin1');
  }
  fields.patch?.(block);
  const sum = block.reduce((total, byte, i) => total + (i >= 148 && i < 156 ? 0x20 : byte), 0);
  block.write(`${(fields.checksum ?? sum).toString(8).padStart(6, '0')}\0 `, 148, 8, 'latin1');
  return block;
}

/** Content, padded to whole blocks. */
export function padded(content: Buffer): Buffer {
  return Buffer.concat([content, Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK)]);
}

/** One record: the length counts itself. */
export function paxRecord(key: string, value: string | Buffer): Buffer {
  const body = Buffer.concat([
    Buffer.from(` ${key}=`, 'latin1'),
    Buffer.isBuffer(value) ? value : Buffer.from(value, 'latin1'),
    Buffer.from('\n'),
  ]);
  let length = body.length + 1;
  while (String(length).length + body.length !== length) length = String(length).length + body.length;
  return Buffer.concat([Buffer.from(String(length)), body]);
}

const paxBody = (fields: PaxFields): Buffer =>
  Buffer.concat((Array.isArray(fields) ? fields : Object.entries(fields)).map(([k, v]) => paxRecord(k, v)));

/** An extended header of raw `body`; type `g` is a global one. */
export function extendedHeader(body: Buffer, type = 'x'): Buffer {
  return Buffer.concat([tarHeader({ name: 'pax', type, size: body.length }), padded(body)]);
}

export const paxHeader = (fields: PaxFields, type = 'x'): Buffer => extendedHeader(paxBody(fields), type);

/** GNU's long name (L) or long link target (K). */
export function gnuLong(type: 'L' | 'K', name: string): Buffer {
  const body = Buffer.from(`${name}\0`, 'latin1');
  return Buffer.concat([
    tarHeader({ name: '././@LongLink', type, size: body.length, magic: 'gnu' }),
    padded(body),
  ]);
}

/** An entry with its content (whose size the header gets, unless it says another). */
export function tarEntry(fields: HeaderFields, content: string | Buffer = '', pax?: PaxFields): Buffer {
  const bytes = Buffer.from(content);
  const parts = pax ? [paxHeader(pax)] : [];
  parts.push(tarHeader({ size: bytes.length, ...fields }), padded(bytes));
  return Buffer.concat(parts);
}

export const END_OF_ARCHIVE = Buffer.alloc(2 * BLOCK);

/** The parts, and the end. */
export const tarArchive = (...parts: readonly Buffer[]): Buffer => Buffer.concat([...parts, END_OF_ARCHIVE]);

export const file = (name: string, content: string | Buffer = 'content', more: HeaderFields = {}): Buffer =>
  tarEntry({ name, ...more }, content);
export const directory = (name: string, more: HeaderFields = {}): Buffer =>
  tarEntry({ name, type: '5', mode: 0o755, ...more });
export const symlink = (name: string, linkname: string, more: HeaderFields = {}): Buffer =>
  tarEntry({ name, type: '2', linkname, mode: 0o777, ...more });
export const hardlink = (name: string, linkname: string, more: HeaderFields = {}): Buffer =>
  tarEntry({ name, type: '1', linkname, ...more });
