/** What the tar reader yields, whatever dialect (v7, ustar, pax, GNU, star) the archive is in. */

export type EntryType = 'file' | 'hardlink' | 'symlink' | 'character' | 'block' | 'directory' | 'fifo';

/**
 * A name, one character per byte (latin1): names in archives and file systems are bytes, UTF-8 only by habit. Such a string is
 * a good map key, compares exactly, and becomes a path for Node by {@link toFsPath}.
 */
export type ByteString = string;

/** `length` bytes of content that belong at `offset` of a sparse file. */
export interface SparseRange {
  offset: number;
  length: number;
}

export interface TarEntry {
  /** As the archive has it: neither cleaned nor checked. */
  path: ByteString;
  type: EntryType;
  /** Permission bits with setuid, setgid and sticky: 0 to 0o7777. */
  mode: number;
  uid: number;
  gid: number;
  /** Bytes of the file as a reader sees it, holes included; 0 for everything that is no file. */
  size: number;
  /** Nanoseconds since 1970. */
  mtime: bigint;
  /** Nanoseconds since 1970, when the archive says. */
  atime: bigint | undefined;
  /** Target of a hard link or symbolic link; '' otherwise. */
  linkpath: ByteString;
  /** Extended attributes by full name (`security.capability`); names are byte strings. */
  xattrs: ReadonlyMap<ByteString, Buffer>;
  major: number;
  minor: number;
  /** Where the content belongs, when the file has holes. */
  sparse: readonly SparseRange[] | undefined;
}

const ASCII = /^\p{ASCII}*$/u;

/** A path for node:fs: the string itself when it is ASCII, else its bytes. */
export function toFsPath(path: ByteString): string | Buffer {
  return ASCII.test(path) ? path : Buffer.from(path, 'latin1');
}

/** The name for a person: decoded as UTF-8, with what a terminal must not see escaped. */
export function displayName(path: ByteString): string {
  const text = Buffer.from(path, 'latin1').toString('utf8');
  const shown = text.length > 300 ? `${text.slice(0, 150)}…${text.slice(-100)}` : text;
  return shown.replace(/[\p{Cc}\ufffd]/gu, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
