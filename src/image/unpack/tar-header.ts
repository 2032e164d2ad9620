/**
 * One 512-byte tar header: POSIX.1-1988 (ustar), GNU, star or v7, told apart by the magic at 257.
 *
 *     0 name[100]  100 mode[8]  108 uid[8]  116 gid[8]  124 size[12]  136 mtime[12]  148 checksum[8]  156 type
 *     157 linkname[100]  257 magic[6] version[2]  265 uname[32]  297 gname[32]  329 major[8]  337 minor[8]
 *     345 prefix[155]    (star: prefix[131] atime[12] ctime[12], "tar\0" at 508; GNU: no prefix, 386 sparse map)
 */

import type { ByteString } from './tar-entry.ts';
import { parseTarNumber, parseTarTime } from './tar-number.ts';

export const BLOCK = 512;

export type TarFormat = 'v7' | 'ustar' | 'star' | 'gnu';

export interface TarHeader {
  name: ByteString;
  mode: number;
  uid: number;
  gid: number;
  /** Bytes that the header announces after it. */
  size: number;
  /** Seconds since 1970. */
  mtime: number;
  /** The type byte as a character; '\0' in v7 archives. */
  flag: string;
  linkname: ByteString;
  major: number;
  minor: number;
  format: TarFormat;
}

export type HeaderResult = { ok: true; header: TarHeader } | { ok: false; problem: string };

export function isZeroBlock(block: Buffer): boolean {
  for (let i = 0; i < BLOCK; i++) if (block[i] !== 0) return false;
  return true;
}

/** Reads the header in `block` (512 bytes) and checks its checksum and every number in it. */
export function parseTarHeader(block: Buffer): HeaderResult {
  if (!checksumAgrees(block)) return { ok: false, problem: 'the checksum of its header is wrong' };
  const number = (start: number, length: number): number => {
    const value = parseTarNumber(block, start, length);
    if (value === undefined) throw new NumberProblem(`its header has no valid number at byte ${start}`);
    return value;
  };
  try {
    const format = formatOf(block);
    const flag = String.fromCharCode(block[156] ?? 0);
    const hasDevice = (flag === '3' || flag === '4') && format !== 'v7';
    const header: TarHeader = {
      name: fullName(block, format),
      mode: number(100, 8) & 0o7777,
      uid: number(108, 8),
      gid: number(116, 8),
      size: number(124, 12),
      mtime: parseTarTime(block, 136, 12) ?? number(136, 12),
      flag,
      linkname: text(block, 157, 100),
      major: hasDevice ? number(329, 8) : 0,
      minor: hasDevice ? number(337, 8) : 0,
      format,
    };
    return header.size < 0 ? { ok: false, problem: 'its header has a negative size' } : { ok: true, header };
  } catch (error) {
    if (error instanceof NumberProblem) return { ok: false, problem: error.message };
    throw error;
  }
}

class NumberProblem extends Error {}

const CHECKSUM = { start: 148, end: 156 };
/** The same memory: a block begins anywhere in its buffer, and words begin at multiples of four. */
const copied = new Uint8Array(BLOCK);
const words = new Uint32Array(copied.buffer);

/**
 * The sum counts the checksum field as blanks. Some old writers summed signed bytes.
 *
 * A small layer is read by code that V8 has not compiled: byte after byte this took a third of the time of reading its archive. So four bytes are
 * added at once, two to each half of a word, where 128 words have room; and most words are zero.
 */
function checksumAgrees(block: Buffer): boolean {
  const expected = parseTarNumber(block, CHECKSUM.start, CHECKSUM.end - CHECKSUM.start);
  copied.set(block);
  copied.fill(0x20, CHECKSUM.start, CHECKSUM.end);
  let halves = 0;
  for (let i = 0; i < BLOCK / 4; i++) {
    const word = words[i] ?? 0;
    if (word !== 0) halves = (halves + (word & 0xff00ff) + ((word >>> 8) & 0xff00ff)) | 0;
  }
  const unsigned = (halves & 0xffff) + (halves >>> 16);
  return expected === unsigned || expected === unsigned - 256 * highBytes(block);
}

/** How many bytes are negative when they are signed. */
function highBytes(block: Buffer): number {
  let count = 0;
  for (let i = 0; i < BLOCK; i++)
    if ((i < CHECKSUM.start || i >= CHECKSUM.end) && (block[i] ?? 0) > 127) count++;
  return count;
}

function formatOf(block: Buffer): TarFormat {
  const magic = block.toString('latin1', 257, 265);
  if (magic.startsWith('ustar\0')) return block.toString('latin1', 508, 512) === 'tar\0' ? 'star' : 'ustar';
  return magic === 'ustar  \0' ? 'gnu' : 'v7';
}

/** The bytes up to the first NUL. */
export function text(block: Buffer, start: number, length: number): ByteString {
  const end = block.indexOf(0, start);
  return block.toString('latin1', start, end === -1 || end > start + length ? start + length : end);
}

function fullName(block: Buffer, format: TarFormat): ByteString {
  const name = text(block, 0, 100);
  if (format !== 'ustar' && format !== 'star') return name;
  const prefix = text(block, 345, format === 'ustar' ? 155 : 131);
  return prefix === '' ? name : `${prefix}/${name}`;
}
