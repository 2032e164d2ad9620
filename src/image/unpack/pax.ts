/**
 * pax extended headers (POSIX.1-2001 pax, "pax Header Block"): records `LENGTH KEY=VALUE\n`, in which LENGTH counts the whole
 * record. Values stay bytes: they hold file names and binary attributes (`SCHILY.xattr.security.capability`).
 */
import type { ByteString } from './tar-entry.ts';

/** Keys in latin1; the last of equal keys wins, except those of GNU sparse format 0.0, which are kept in order in `sparse`. */
export interface PaxRecords {
  values: Map<string, Buffer>;
  /** Values of GNU.sparse.offset and GNU.sparse.numbytes, alternating, as they came. */
  sparse: string[];
}

export type PaxResult = { ok: true; records: PaxRecords } | { ok: false; problem: string };

const malformed = (what: string): PaxResult => ({ ok: false, problem: `its extended header ${what}` });
const NO_NUL = new Set(['path', 'linkpath', 'uname', 'gname']);

export function parsePax(body: Buffer): PaxResult {
  const records: PaxRecords = { values: new Map(), sparse: [] };
  let at = 0;
  while (at < body.length) {
    if (body[at] === 0) break; // some writers pad inside the announced size
    const blank = body.indexOf(0x20, at);
    const digits = blank === -1 ? '' : body.toString('latin1', at, Math.min(blank, at + 10));
    if (!/^[0-9]{1,9}$/.test(digits)) return malformed('has a record without a length');
    const end = at + Number(digits);
    const equals = body.indexOf(0x3d, blank);
    if (end > body.length || body[end - 1] !== 0x0a) return malformed('has a record of the wrong length');
    if (equals === -1 || equals >= end - 1 || equals === blank + 1)
      return malformed('has a record without a key');
    const key = body.toString('latin1', blank + 1, equals);
    if (key.includes('\0')) return malformed('has a NUL in a key');
    const value = body.subarray(equals + 1, end - 1);
    if (NO_NUL.has(key) && value.includes(0)) return malformed(`has a NUL in its ${key}`);
    if (key === 'GNU.sparse.offset' || key === 'GNU.sparse.numbytes') {
      const expected = records.sparse.length % 2 === 0 ? 'GNU.sparse.offset' : 'GNU.sparse.numbytes';
      if (key !== expected) return malformed('has sparse records out of order');
      records.sparse.push(value.toString('latin1'));
    } else records.values.set(key, value);
    at = end;
  }
  return { ok: true, records };
}

/** A non-negative decimal integer, or undefined. */
export function parseDecimal(value: ByteString): number | undefined {
  if (!/^[0-9]{1,16}$/.test(value)) return undefined;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : undefined;
}

/** `1700000000.123456789` → nanoseconds, cut (not rounded) after nine digits; undefined when it is no such number. */
export function parsePaxTime(value: ByteString): bigint | undefined {
  const match = /^(-?)([0-9]{1,18})(?:\.([0-9]*))?$/.exec(value);
  if (!match) return undefined;
  const nanoseconds = BigInt((match[3] ?? '').padEnd(9, '0').slice(0, 9));
  const total = BigInt(match[2] ?? '0') * 1_000_000_000n + nanoseconds;
  return match[1] === '-' ? -total : total;
}

const SCHILY = 'SCHILY.xattr.';
const LIBARCHIVE = 'LIBARCHIVE.xattr.';

/** Extended attributes: star's raw values win over libarchive's (URL-encoded name, base64 value). */
export function paxXattrs(values: ReadonlyMap<string, Buffer>): Map<ByteString, Buffer> {
  const xattrs = new Map<ByteString, Buffer>();
  for (const [key, value] of values) {
    if (!key.startsWith(LIBARCHIVE)) continue;
    const name = key
      .slice(LIBARCHIVE.length)
      .replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
    // decoded, it may hold what no key may: the kernel would read another name than we
    if (!name.includes('\0')) xattrs.set(name, Buffer.from(value.toString('latin1'), 'base64'));
  }
  for (const [key, value] of values) if (key.startsWith(SCHILY)) xattrs.set(key.slice(SCHILY.length), value);
  return xattrs;
}
