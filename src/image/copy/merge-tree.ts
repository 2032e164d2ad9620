/**
 * Applies an archive to a directory in which there is something already, and where others may be at work: `cp`, `volume import`.
 *
 * A container may exchange a directory for a link at any moment (CVE-2018-15664), so each directory is opened from the base on by
 * openat2(2) without following any link, the process goes there by its descriptor, and every call names one component, without
 * following it. The process's root is the container's, besides.
 */
import * as fs from 'node:fs';
import { tsrunError } from '../../errors.ts';
import { AT_FDCWD } from '../../sys/constants.ts';
import { type Attributes, AttributeWriter } from '../unpack/attributes.ts';
import { entryFailed, rejectEntry } from '../unpack/entry-error.ts';
import { cleanEntryPath, splitPath } from '../unpack/entry-path.ts';
import { errnoOf, type UnpackHost } from '../unpack/host.ts';
import { DEFAULT_LIMITS } from '../unpack/limits.ts';
import { cPath, invoke } from '../unpack/native-host.ts';
import type { Ownership } from '../unpack/owner.ts';
import { type ByteString, displayName, type TarEntry, toFsPath } from '../unpack/tar-entry.ts';
import type { TarHandler } from '../unpack/tar-reader.ts';

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY, O_TRUNC, S_IFIFO } = fs.constants;
const NEW_FILE = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;

export interface MergeOptions {
  host: UnpackHost;
  ownership: Ownership;
  /** Descriptor of the directory. */
  base: number;
  /** The archive's first component → the name it gets. */
  rename: { from: ByteString; to: ByteString } | undefined;
  /** Whose everything is to be, given the archive's ids. */
  ownerOf(entry: TarEntry): { uid: number; gid: number };
  overwrite: boolean;
}

export class MergeApplier implements TarHandler {
  readonly #options: MergeOptions;
  readonly #attributes: AttributeWriter;
  /** Where the process is, from the base on. */
  #here: ByteString | undefined;
  #file: { fd: number; name: ByteString; entry: TarEntry } | undefined;
  readonly #directories = new Map<ByteString, Attributes>();
  entries = 0;
  skippedDevices = 0;

  constructor(options: MergeOptions) {
    this.#options = options;
    this.#attributes = new AttributeWriter(options.host, options.ownership);
  }

  /** @throws ERR_TSRUN_COPY, ERR_TSRUN_LAYER_ENTRY */
  entry(entry: TarEntry): void {
    this.entries++;
    try {
      this.#make(entry, this.#clean(entry.path, entry.path));
    } catch (error) {
      throw entryFailed(entry.path, error);
    }
  }

  content(chunk: Buffer, position: number): void {
    const file = this.#file;
    if (!file) return;
    try {
      for (let at = 0; at < chunk.length; )
        at += fs.writeSync(file.fd, chunk, at, chunk.length - at, position + at);
    } catch (error) {
      throw entryFailed(file.entry.path, error);
    }
  }

  end(): void {
    const file = this.#file;
    if (!file) return;
    if (file.entry.sparse) fs.ftruncateSync(file.fd, file.entry.size);
    this.#attributes.file(file.fd, file.name, this.#attributesOf(file.entry), file.entry.path);
    this.#attributes.times.flush();
    this.close();
  }

  /** After the last entry: the attributes of directories, those that lie deepest first. */
  finish(): void {
    for (const [path, attributes] of [...this.#directories].reverse()) {
      this.#go(path);
      this.#attributes.other('directory', '.', attributes, path);
      this.#attributes.times.flush();
    }
  }

  close(): void {
    if (this.#file) fs.closeSync(this.#file.fd);
    this.#file = undefined;
  }

  #clean(path: ByteString, shown: ByteString): ByteString {
    const clean = cleanEntryPath(path, DEFAULT_LIMITS);
    if (!clean.ok) throw rejectEntry(shown, clean.problem);
    const { rename } = this.#options;
    if (!rename) return clean.path;
    if (clean.path === rename.from) return rename.to;
    return clean.path.startsWith(`${rename.from}/`)
      ? rename.to + clean.path.slice(rename.from.length)
      : clean.path;
  }

  /** Goes to a directory; its parents that an archive does not name are made. */
  #go(path: ByteString): void {
    if (this.#here === path) return;
    const { host, base } = this.#options;
    let fd = host.openBeneath(base, path, 'read');
    if (fd === undefined) {
      const { parent, name } = splitPath(path);
      if (path === '') throw tsrunError('ERR_TSRUN_COPY', { path: '/', problem: 'the directory is gone' });
      this.#go(parent);
      fs.mkdirSync(toFsPath(name), { mode: 0o755 });
      fd = host.openBeneath(base, path, 'read');
    }
    if (fd === undefined)
      throw tsrunError('ERR_TSRUN_COPY', { path: displayName(path), problem: 'it is gone' });
    try {
      invoke('fchdir', [fd]);
    } finally {
      fs.closeSync(fd);
    }
    this.#here = path;
  }

  #make(entry: TarEntry, path: ByteString): void {
    if (path === '') {
      if (entry.type === 'directory') this.#directories.set('', this.#attributesOf(entry));
      return;
    }
    const { parent, name } = splitPath(path);
    this.#go(parent);
    if (entry.type === 'directory') this.#directory(entry, path, name);
    else if (entry.type === 'file') this.#file = { fd: this.#openNew(name, entry, path), name, entry };
    else if (entry.type === 'hardlink') this.#link(entry, path, name);
    else if (entry.type === 'symlink') {
      this.#replacing(name, path, () => fs.symlinkSync(toFsPath(entry.linkpath), toFsPath(name)));
      this.#other('symlink', name, entry);
    } else if (entry.type === 'fifo') {
      this.#replacing(name, path, () => this.#options.host.makeNode(name, S_IFIFO | 0o600, 0, 0));
      this.#other('special', name, entry);
    } else this.skippedDevices++; // no user namespace may make devices
  }

  #directory(entry: TarEntry, path: ByteString, name: ByteString): void {
    try {
      fs.mkdirSync(toFsPath(name), { mode: 0o700 });
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error;
      if (!fs.lstatSync(toFsPath(name)).isDirectory()) {
        if (!this.#options.overwrite)
          throw conflict(path, 'a directory would take the place of what is no directory');
        fs.unlinkSync(toFsPath(name));
        fs.mkdirSync(toFsPath(name), { mode: 0o700 });
      }
    }
    this.#directories.set(path, this.#attributesOf(entry));
  }

  #openNew(name: ByteString, entry: TarEntry, path: ByteString): number {
    const open = (): number => fs.openSync(toFsPath(name), NEW_FILE, entry.mode & 0o777);
    try {
      return this.#replacing(name, path, open);
    } catch (error) {
      // Something is mounted there (/etc/hosts): its content is what can be replaced.
      if (errnoOf(error) !== 'EBUSY') throw error;
      return fs.openSync(toFsPath(name), O_WRONLY | O_TRUNC | O_NOFOLLOW);
    }
  }

  #link(entry: TarEntry, path: ByteString, name: ByteString): void {
    const source = splitPath(this.#clean(entry.linkpath, entry.path));
    const from = this.#options.host.openBeneath(this.#options.base, source.parent, 'read');
    if (from === undefined) throw rejectEntry(entry.path, 'its link target is not there');
    try {
      const { parent } = splitPath(path);
      if (source.parent === parent && source.name === name) return;
      this.#replacing(name, path, () =>
        invoke('linkat', [from, cPath(source.name), AT_FDCWD, cPath(name), 0]),
      );
    } finally {
      fs.closeSync(from);
    }
  }

  /** Calls `make`; what is in its way is removed, but no directory with something in it. */
  #replacing<T>(name: ByteString, path: ByteString, make: () => T): T {
    try {
      return make();
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error;
    }
    if (fs.lstatSync(toFsPath(name)).isDirectory()) {
      if (!this.#options.overwrite)
        throw conflict(path, 'what is no directory would take the place of a directory');
      fs.rmdirSync(toFsPath(name));
    } else fs.unlinkSync(toFsPath(name));
    return make();
  }

  #other(kind: 'symlink' | 'special', name: ByteString, entry: TarEntry): void {
    this.#attributes.other(kind, name, this.#attributesOf(entry), entry.path);
    this.#attributes.times.flush();
  }

  #attributesOf(entry: TarEntry): Attributes {
    const { mode, mtime, atime = mtime, xattrs } = entry;
    return { ...this.#options.ownerOf(entry), mode, mtime, atime, xattrs };
  }
}

const conflict = (path: ByteString, problem: string): Error =>
  tsrunError('ERR_TSRUN_COPY', { path: displayName(path), problem });
