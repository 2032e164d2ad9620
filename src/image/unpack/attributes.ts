/**
 * Gives files their owner, mode, extended attributes and times, in the one order that works:
 *
 * 1. content: writing clears security.capability and setuid, and moves the time;
 * 2. chown, which clears setuid, setgid and security.capability;
 * 3. chmod, the special bits with it;
 * 4. extended attributes;
 * 5. times.
 *
 * Directories get theirs when all entries are applied: a new file moves its directory's time, a setgid directory or one with a
 * default ACL would pass that on to files, and one without write permission might refuse them.
 */
import { errnoOf, HostError, type UnpackHost } from './host.ts';
import { OVERRIDE_XATTR, type Ownership, overrideValue, requireMapped } from './owner.ts';
import { type ByteString, displayName, toFsPath } from './tar-entry.ts';
import { TimeQueue } from './time-queue.ts';

export interface Attributes {
  uid: number;
  gid: number;
  mode: number;
  mtime: bigint;
  atime: bigint;
  xattrs: ReadonlyMap<ByteString, Buffer>;
}

/** What was not done as the archive says, for the record of the layer. */
export interface AttributeCounts {
  squashedOwners: number;
  skippedXattrs: number;
}

/** The bookkeeping of the overlays and our own: an archive that could set them would rewrite the layers below. */
const RESERVED_XATTR =
  /^(?:user|trusted)\.overlay\.|^user\.fuseoverlayfs\.|^user\.containers\.override_stat$/;
const REFUSED = new Set(['EPERM', 'EOPNOTSUPP', 'EACCES']);
const SPECIAL_BITS = 0o7000;

export class AttributeWriter {
  readonly #host: UnpackHost;
  readonly #ownership: Ownership;
  readonly #uid: number;
  readonly #gid: number;
  readonly counts: AttributeCounts = { squashedOwners: 0, skippedXattrs: 0 };
  readonly times: TimeQueue;

  constructor(host: UnpackHost, ownership: Ownership) {
    this.#host = host;
    this.#uid = host.uid;
    this.#gid = host.gid;
    this.#ownership = ownership;
    this.times = new TimeQueue(host);
  }

  /** A regular file that was just made with `open(…, mode)` under umask 0, and written. @param name for errors */
  file(fd: number, path: ByteString, attributes: Attributes, name: ByteString): void {
    const chowned = this.#own(attributes, name, (uid, gid) => this.#host.files.fchownSync(fd, uid, gid));
    if (chowned || attributes.mode & SPECIAL_BITS) this.#host.files.fchmodSync(fd, attributes.mode);
    this.#xattrs(path, attributes, true);
    if (!this.times.setByFd(fd, attributes)) this.times.add(path, attributes);
  }

  /** Anything but a regular file; never follows a symbolic link. */
  other(
    kind: 'directory' | 'symlink' | 'special',
    path: ByteString,
    attributes: Attributes,
    name: ByteString,
  ): void {
    const fsPath = toFsPath(path);
    this.#own(attributes, name, (uid, gid) => this.#host.files.lchownSync(fsPath, uid, gid));
    // never a symbolic link here, and nothing else runs in this root: chmod cannot be led astray
    if (kind !== 'symlink') this.#host.files.chmodSync(fsPath, attributes.mode);
    this.#xattrs(path, attributes, kind === 'directory');
    this.times.add(path, attributes);
  }

  #own(attributes: Attributes, name: ByteString, chown: (uid: number, gid: number) => void): boolean {
    const { uid, gid } = attributes;
    if (this.#ownership.kind === 'single') {
      if (uid !== 0 || gid !== 0) this.counts.squashedOwners++;
      return false;
    }
    if (uid === this.#uid && gid === this.#gid) return false;
    requireMapped(this.#ownership, name, uid, gid);
    chown(uid, gid);
    return true;
  }

  #xattrs(path: ByteString, attributes: Attributes, takesUserXattrs: boolean): void {
    const { uid, gid, mode, xattrs } = attributes;
    for (const [name, value] of xattrs) {
      if (RESERVED_XATTR.test(name) || !this.#trySet(path, name, value)) this.counts.skippedXattrs++;
    }
    if (this.#ownership.kind !== 'single' || (uid === 0 && gid === 0) || !takesUserXattrs) return;
    this.#trySet(path, OVERRIDE_XATTR, overrideValue(uid, gid, mode));
  }

  /** False when this user or file system may not have such an attribute (security.selinux, trusted.*, tmpfs). */
  #trySet(path: ByteString, name: ByteString, value: Buffer): boolean {
    try {
      this.#host.setXattr(path, name, value);
      return true;
    } catch (error) {
      const errno = errnoOf(error) ?? '';
      if (REFUSED.has(errno)) return false;
      if (errno === '') throw error;
      const doing = `setting its attribute "${displayName(name)}" of ${value.length} bytes`;
      throw new HostError(errno, doing, `${doing}: ${errno}`, error);
    }
  }
}
