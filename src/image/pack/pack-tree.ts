/**
 * Writes a directory tree as a tar archive: the reverse of apply-layer.ts, for `export`, `commit`, `cp` and volumes.
 *
 * The process's root *is* the tree (run-pack-worker.ts), so that no link leads out of it, whatever a running container does to its
 * files meanwhile. The walk stays in the directory that it reads and names files by their last component, so that no path is too long
 * for the kernel; after each change of directory it makes sure that it is where it meant to go. What disappears while it is read is
 * left out, what shrinks is filled up with zeros, and both are counted.
 *
 * Entries come in the order of their names' bytes, a directory before what is in it: one tree makes one archive. The content of a
 * file with several names goes with the first of them. Memory does not depend on the size of files.
 */
import * as fs from 'node:fs';
import { errnoOf } from '../unpack/host.ts';
import { OVERRIDE_XATTR } from '../unpack/owner.ts';
import { type ByteString, displayName, type EntryType, toFsPath } from '../unpack/tar-entry.ts';
import { isWhiteoutDevice, OPAQUE_NAME, WHITEOUT_PREFIX } from '../unpack/whiteout.ts';
import type { ArchiveOutput } from './archive-output.ts';
import type { PackHost } from './host.ts';
import { cannotPack } from './pack-error.ts';
import type { PackJob, PackResult } from './pack-job.ts';
import { encodeTarHeader, endOfArchive, type PackEntry, padding } from './tar-header.ts';
import { archivedXattrs, isOpaque } from './xattrs.ts';

const CHUNK = 1 << 20;
/** So many names of what was left out are reported. */
const MOST_SKIPPED = 20;
const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
/** The file is not what it was a moment ago: another kind, or gone. */
const VANISHED = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'ESTALE']);
const OVERRIDE = /^([0-9]+):([0-9]+):([0-7]+)$/;

/** A directory that is being read. */
interface Level {
  /** In the archive. */
  path: ByteString;
  stats: fs.BigIntStats;
  /** Still to do, the last one first. */
  names: ByteString[];
}

export class TreePacker {
  readonly #host: PackHost;
  readonly #out: ArchiveOutput;
  readonly #job: Pick<PackJob, 'changesOf' | 'as'>;
  readonly #excluded: ReadonlySet<ByteString>;
  /** `device:inode` of files with several names → the first of them. */
  readonly #links = new Map<string, ByteString>();
  readonly #chunk = Buffer.allocUnsafe(CHUNK);
  #entries = 0;
  #changed = 0;
  #skippedCount = 0;
  readonly #skipped: string[] = [];

  constructor(host: PackHost, out: ArchiveOutput, job: Pick<PackJob, 'changesOf' | 'as' | 'exclude'>) {
    this.#host = host;
    this.#out = out;
    this.#job = job;
    this.#excluded = new Set(job.exclude);
  }

  /** Packs `name` of the current directory; `.` is the directory itself. @throws ERR_TSRUN_PACK naming the file */
  pack(name: ByteString): PackResult {
    const levels: Level[] = [];
    const first = this.#visit(name, this.#job.as);
    if (first) levels.push(first);
    for (let level = levels.at(-1); level; level = levels.at(-1)) {
      const next = level.names.pop();
      if (next === undefined) {
        levels.pop();
        this.#leave(levels.at(-1));
        continue;
      }
      const entered = this.#visit(next, level.path === '' ? next : `${level.path}/${next}`);
      if (entered) levels.push(entered);
    }
    this.#out.write(endOfArchive());
    this.#out.flush();
    return {
      entries: this.#entries,
      size: this.#out.size,
      digest: this.#out.digest(),
      changed: this.#changed,
      skipped: this.#skipped,
      skippedCount: this.#skippedCount,
    };
  }

  /** Writes one file. A directory is entered, and returned. */
  #visit(name: ByteString, path: ByteString): Level | undefined {
    if (this.#excluded.has(path)) return undefined;
    try {
      return this.#add(name, path);
    } catch (error) {
      if (VANISHED.has(errnoOf(error) ?? '') && path !== this.#job.as) {
        this.#changed++;
        return undefined;
      }
      throw cannotPack(path === '' ? '.' : path, error);
    }
  }

  #add(name: ByteString, path: ByteString): Level | undefined {
    const stats = fs.lstatSync(toFsPath(name), { bigint: true });
    if (this.#job.changesOf !== undefined && this.#addWhiteout(name, path, stats)) return undefined;
    if (stats.isDirectory()) return this.#addDirectory(name, path, stats);
    if (stats.isSocket()) this.#skip(path);
    else if (this.#isKnownLink(stats)) this.#addLink(path, stats);
    else if (stats.isFile()) this.#addFile(name, path, stats);
    else {
      const entry = this.#describe(name, path, typeOf(stats), stats);
      const linkpath = stats.isSymbolicLink() ? fs.readlinkSync(toFsPath(name), 'latin1') : '';
      this.#emit({ ...entry, linkpath });
      this.#remember(path, stats);
    }
    return undefined;
  }

  /** True when the file is a mark of the overlay, or cannot be in a layer. */
  #addWhiteout(name: ByteString, path: ByteString, stats: fs.BigIntStats): boolean {
    if (isWhiteoutDevice(stats)) {
      const slash = path.lastIndexOf('/') + 1;
      this.#addMark(`${path.slice(0, slash)}${WHITEOUT_PREFIX}${path.slice(slash)}`, stats);
      return true;
    }
    if (!name.startsWith(WHITEOUT_PREFIX)) return false;
    // fuse-overlayfs writes the marks of a layer where it may not make devices; to the kernel's overlay it is a name like any other
    if (this.#job.changesOf === 'fuse-overlayfs' && stats.isFile()) this.#addMark(path, stats);
    else this.#skip(path);
    return true;
  }

  #addMark(path: ByteString, stats: fs.BigIntStats): void {
    this.#emit({ ...plain(path, 'file', stats), mode: 0o600, uid: 0, gid: 0 });
  }

  #addDirectory(name: ByteString, path: ByteString, stats: fs.BigIntStats): Level {
    if (path !== '') this.#emit(this.#describe(name, path, 'directory', stats));
    const opaque = this.#job.changesOf !== undefined && isOpaque(this.#host.readXattrs(name));
    if (name !== '.') this.#host.enter(name);
    this.#requireHere(stats, path);
    if (opaque) this.#addMark(path === '' ? OPAQUE_NAME : `${path}/${OPAQUE_NAME}`, stats);
    const names = fs.readdirSync('.', 'latin1').sort().reverse();
    return { path, stats, names };
  }

  /** Back to `level` from a directory in it. */
  #leave(level: Level | undefined): void {
    if (!level) return;
    this.#host.enter('..');
    this.#requireHere(level.stats, level.path);
  }

  #requireHere(expected: fs.BigIntStats, path: ByteString): void {
    const { dev, ino } = fs.statSync('.', { bigint: true });
    if (dev === expected.dev && ino === expected.ino) return;
    throw cannotPack(path === '' ? '.' : path, new Error('it was moved while it was read'));
  }

  #isKnownLink(stats: fs.BigIntStats): boolean {
    return stats.nlink > 1n && this.#links.has(`${stats.dev}:${stats.ino}`);
  }

  #remember(path: ByteString, stats: fs.BigIntStats): void {
    if (stats.nlink > 1n) this.#links.set(`${stats.dev}:${stats.ino}`, path);
  }

  #addLink(path: ByteString, stats: fs.BigIntStats): void {
    const linkpath = this.#links.get(`${stats.dev}:${stats.ino}`) ?? '';
    this.#emit({ ...plain(path, 'hardlink', stats), linkpath });
  }

  #addFile(name: ByteString, path: ByteString, found: fs.BigIntStats): void {
    const fd = fs.openSync(toFsPath(name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    try {
      const stats = fs.fstatSync(fd, { bigint: true });
      if (!stats.isFile() || stats.ino !== found.ino) {
        this.#changed++;
        return;
      }
      const size = Number(stats.size);
      this.#emit({ ...this.#describe(name, path, 'file', stats), size });
      this.#copyContent(fd, size);
      this.#out.write(padding(size));
      this.#remember(path, stats);
    } finally {
      fs.closeSync(fd);
    }
  }

  /** Exactly `size` bytes, whatever has become of the file. */
  #copyContent(fd: number, size: number): void {
    let left = size;
    while (left > 0) {
      const count = fs.readSync(fd, this.#chunk, 0, Math.min(CHUNK, left), null);
      if (count === 0) break;
      this.#out.write(this.#chunk.subarray(0, count));
      left -= count;
    }
    if (left === 0) return;
    this.#changed++;
    this.#chunk.fill(0);
    for (; left > 0; left -= Math.min(CHUNK, left))
      this.#out.write(this.#chunk.subarray(0, Math.min(CHUNK, left)));
  }

  /** Everything but size and link target. Where the owner could not be set, it is the recorded one (owner.ts). */
  #describe(name: ByteString, path: ByteString, type: EntryType, stats: fs.BigIntStats): PackEntry {
    const xattrs = this.#host.readXattrs(name);
    const recorded = OVERRIDE.exec(xattrs.get(OVERRIDE_XATTR)?.toString('latin1') ?? '');
    const entry = { ...plain(path, type, stats), xattrs: archivedXattrs(xattrs) };
    if (!recorded) return entry;
    const [, uid, gid, mode = '0'] = recorded;
    return { ...entry, uid: Number(uid), gid: Number(gid), mode: Number.parseInt(mode, 8) };
  }

  #emit(entry: PackEntry): void {
    this.#entries++;
    const path = entry.type === 'directory' ? `${entry.path}/` : entry.path;
    this.#out.write(encodeTarHeader({ ...entry, path }));
  }

  #skip(path: ByteString): void {
    this.#skippedCount++;
    if (this.#skipped.length < MOST_SKIPPED) this.#skipped.push(displayName(path));
  }
}

const NO_XATTRS: ReadonlyMap<ByteString, Buffer> = new Map();

/** What lstat(2) says. */
function plain(path: ByteString, type: EntryType, stats: fs.BigIntStats): PackEntry {
  const isDevice = type === 'character' || type === 'block';
  return {
    path,
    type,
    mode: Number(stats.mode & 0o7777n),
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    size: 0,
    mtime: stats.mtimeNs,
    linkpath: '',
    xattrs: NO_XATTRS,
    // gnu_dev_major(3), gnu_dev_minor(3)
    major: isDevice ? Number((stats.rdev >> 8n) & 0xfffn) : 0,
    minor: isDevice ? Number((stats.rdev & 0xffn) | ((stats.rdev >> 12n) & 0xfff00n)) : 0,
  };
}

function typeOf(stats: fs.BigIntStats): EntryType {
  if (stats.isSymbolicLink()) return 'symlink';
  if (stats.isFIFO()) return 'fifo';
  return stats.isBlockDevice() ? 'block' : 'character';
}
