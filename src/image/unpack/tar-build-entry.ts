/** Puts one entry together from its header and the extended headers before it. */
import { type PaxRecords, parseDecimal, parsePaxTime, paxXattrs } from './pax.ts';
import { pairedRanges } from './sparse.ts';
import type { ByteString, EntryType, SparseRange, TarEntry } from './tar-entry.ts';
import type { TarHeader } from './tar-header.ts';

/** What precedes an entry: at most one pax header (the last one counts) and GNU's long names. */
export interface EntryExtras {
  pax: PaxRecords | undefined;
  longName: ByteString | undefined;
  longLink: ByteString | undefined;
}

export interface Skeleton {
  entry: TarEntry;
  /** Bytes that follow in the archive. */
  stored: number;
  /** The map of a sparse file, or where it is still to be found: in the header ('old'), or in the content ('map'). */
  sparse: readonly SparseRange[] | 'old' | 'map' | undefined;
}

const TYPES: Readonly<Record<string, EntryType>> = {
  '\0': 'file',
  '0': 'file',
  '7': 'file',
  S: 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '3': 'character',
  '4': 'block',
  '5': 'directory',
  '6': 'fifo',
};

const NO_XATTRS: ReadonlyMap<ByteString, Buffer> = new Map();
const NO_VALUES: ReadonlyMap<string, Buffer> = new Map();

class Problem extends Error {}

export function buildEntry(header: TarHeader, extras: EntryExtras): Skeleton | { problem: string } {
  const values = extras.pax?.values ?? NO_VALUES;
  try {
    const name =
      extras.longName || (string(values, 'GNU.sparse.name') ?? string(values, 'path') ?? header.name);
    const type = typeOf(header, name);
    const size = type === 'file' ? (decimal(values, 'size') ?? header.size) : 0;
    const isLink = type === 'hardlink' || type === 'symlink';
    const entry: TarEntry = {
      path: name,
      type,
      mode: header.mode,
      uid: decimal(values, 'uid') ?? header.uid,
      gid: decimal(values, 'gid') ?? header.gid,
      size,
      mtime: time(values, 'mtime') ?? BigInt(header.mtime) * 1_000_000_000n,
      atime: time(values, 'atime'),
      linkpath: isLink ? extras.longLink || (string(values, 'linkpath') ?? header.linkname) : '',
      xattrs: values.size === 0 ? NO_XATTRS : paxXattrs(values),
      major: header.major,
      minor: header.minor,
      sparse: undefined,
    };
    return { entry, stored: size, sparse: sparseOf(header, entry, values, extras.pax?.sparse ?? []) };
  } catch (error) {
    if (error instanceof Problem) return { problem: error.message };
    throw error;
  }
}

/** v7 archives have no type for directories: a slash at the end of the name says so. */
function typeOf(header: TarHeader, name: ByteString): EntryType {
  if (header.flag === '\0' && name.endsWith('/')) return 'directory';
  const type = TYPES[header.flag];
  if (!type) throw new Problem(`it has the unknown type ${JSON.stringify(header.flag)}`);
  return type;
}

function string(values: ReadonlyMap<string, Buffer>, key: string): ByteString | undefined {
  const value = values.get(key);
  return value === undefined || value.length === 0 ? undefined : value.toString('latin1');
}

function decimal(values: ReadonlyMap<string, Buffer>, key: string): number | undefined {
  const text = string(values, key);
  if (text === undefined) return undefined;
  const number = parseDecimal(text);
  if (number === undefined) throw new Problem(`its extended header has no valid ${key}`);
  return number;
}

function time(values: ReadonlyMap<string, Buffer>, key: string): bigint | undefined {
  const text = string(values, key);
  if (text === undefined) return undefined;
  const nanoseconds = parsePaxTime(text);
  if (nanoseconds === undefined) throw new Problem(`its extended header has no valid ${key}`);
  return nanoseconds;
}

/** Finds the sparse map, and gives the entry the size that it has with its holes. */
function sparseOf(
  header: TarHeader,
  entry: TarEntry,
  values: ReadonlyMap<string, Buffer>,
  pairs: readonly string[],
): Skeleton['sparse'] {
  if (header.flag === 'S') return 'old';
  if (entry.type !== 'file') return undefined;
  const major = string(values, 'GNU.sparse.major');
  const map = string(values, 'GNU.sparse.map');
  if (major === '1' && string(values, 'GNU.sparse.minor') === '0') {
    entry.size = decimal(values, 'GNU.sparse.realsize') ?? entry.size;
    return 'map';
  }
  if (major !== undefined && major !== '0') throw new Problem(`it is in the unknown sparse format ${major}`);
  if (map === undefined && pairs.length === 0) return undefined;
  entry.size = decimal(values, 'GNU.sparse.size') ?? decimal(values, 'GNU.sparse.realsize') ?? entry.size;
  const ranges = pairedRanges(map === undefined ? pairs : map.split(','));
  if (!ranges) throw new Problem('its sparse map is not valid');
  return ranges;
}
