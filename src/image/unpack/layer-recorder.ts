/**
 * A host that makes nothing: it writes down the system calls that make a layer, for a child of ours to make them in one go
 * (unpack-at-once.ts). It remembers the names that would be there, and so answers what is asked of them.
 *
 * It is for plain layers: nothing below, each name made once, nothing whose fate only the kernel knows (extended attributes, devices). Of
 * anything else it throws {@link NotPlain}, and the layer is unpacked by the worker.
 */
import { writeSync } from 'node:fs';
import { call, op } from '../../sys/calls.ts';
import { AT_FDCWD, AT_SYMLINK_NOFOLLOW } from '../../sys/constants.ts';
import type { Argument, Memory, Slot, Slots, Step } from '../../sys/step.ts';
import type { SyscallName } from '../../sys/syscall-numbers.ts';
import type { HostPath, LayerFiles, UnpackHost } from './host.ts';
import { cPath, timespec } from './native-host.ts';
import type { ByteString } from './tar-entry.ts';

/** Why a layer is not for this host. */
export class NotPlain extends Error {}

/** What fits into the 4 MiB that a program may have. */
const MAX_STEPS = 20_000;

const S_IFMT = 0o170000;
const S_IFIFO = 0o010000;
const SECOND = 1_000_000_000n;
const WHY = 'unpack a layer';

const bytesOf = (path: string | Buffer): ByteString =>
  typeof path === 'string' ? path : path.toString('latin1');

const refuse = (): never => {
  throw new NotPlain('it takes more than making files');
};

export class LayerRecorder implements UnpackHost, LayerFiles {
  readonly files: LayerFiles = this;
  /** The child is root in its namespaces. */
  readonly uid = 0;
  readonly gid = 0;
  /** What makes the layer, in a child in the rootless namespaces. */
  readonly steps: Step[] = [];
  readonly #content: number;
  #contentSize = 0;
  #fileSize = 0;
  /** The file that is open: there is never more than one. */
  readonly #file: Slot;
  readonly #copied: Slot;
  /** What is there, and where it leads if it is a symbolic link. */
  readonly #names = new Map<ByteString, ByteString | undefined>();
  readonly #paths = new Map<ByteString, Memory>();
  readonly #times = new Map<string, Memory>();

  /** @param content a descriptor of an empty file: receives the content of all files, one after the other */
  constructor(slots: Slots, content: number) {
    this.#content = content;
    this.#file = slots.new('file');
    this.#copied = slots.new('copied');
  }

  enterRoot(directory: string): void {
    this.#do('umask', [0]);
    this.#do('chroot', [directory]);
    this.#do('chdir', ['/']);
  }

  openSync(path: string | Buffer, flags: number, mode: number): number {
    this.#name(path, undefined);
    this.#fileSize = 0;
    this.#do('openat', [AT_FDCWD, this.#path(path), flags, mode], this.#file);
    return this.#content;
  }

  writeSync(_: number, chunk: Buffer, offset: number, length: number, position: number): number {
    if (position !== this.#fileSize) return refuse(); // a hole
    const written = writeSync(this.#content, chunk, offset, length, this.#contentSize);
    this.#fileSize += written;
    this.#contentSize += written;
    // from where the descriptor stands, which was moved by nothing but these
    this.#do('sendfile', [this.#file, this.#content, 0, written], this.#copied);
    const all = { kind: 'expect', value: this.#copied, equals: written, errno: 'EIO' } as const;
    this.steps.push(op('rootless', WHY, all));
    return written;
  }

  fchownSync(_: number, uid: number, gid: number): void {
    this.#do('fchown', [this.#file, uid, gid]);
  }

  fchmodSync(_: number, mode: number): void {
    this.#do('fchmod', [this.#file, mode]);
  }

  futimesSync(_: number, atime: number, mtime: number): void {
    this.#do('utimensat', [this.#file, 0, this.#timesOf(BigInt(atime) * SECOND, BigInt(mtime) * SECOND), 0]);
  }

  closeSync(): void {
    this.#do('close', [this.#file]);
  }

  mkdirSync(path: string | Buffer, mode: number): void {
    this.#name(path, undefined);
    this.#do('mkdirat', [AT_FDCWD, this.#path(path), mode]);
  }

  symlinkSync(target: string | Buffer, path: string | Buffer): void {
    this.#name(path, bytesOf(target));
    this.#do('symlinkat', [cPath(bytesOf(target)), AT_FDCWD, this.#path(path)]);
  }

  linkSync(from: string | Buffer, path: string | Buffer): void {
    this.#name(path, this.#names.get(bytesOf(from)));
    this.#do('linkat', [AT_FDCWD, this.#path(from), AT_FDCWD, this.#path(path), 0]);
  }

  makeNode(path: HostPath, mode: number): void {
    if ((mode & S_IFMT) !== S_IFIFO) refuse();
    this.#name(path, undefined);
    this.#do('mknodat', [AT_FDCWD, this.#path(path), mode, 0]);
  }

  lchownSync(path: string | Buffer, uid: number, gid: number): void {
    this.#do('fchownat', [AT_FDCWD, this.#path(path), uid, gid, AT_SYMLINK_NOFOLLOW]);
  }

  chmodSync(path: string | Buffer, mode: number): void {
    this.#do('fchmodat', [AT_FDCWD, this.#path(path), mode]);
  }

  lutimesSync(path: string | Buffer, atime: number, mtime: number): void {
    this.setTimes([{ path: bytesOf(path), atime: BigInt(atime) * SECOND, mtime: BigInt(mtime) * SECOND }]);
  }

  setTimes(times: readonly { path: HostPath; atime: bigint; mtime: bigint }[]): void {
    for (const { path, atime, mtime } of times)
      this.#do('utimensat', [AT_FDCWD, this.#path(path), this.#timesOf(atime, mtime), AT_SYMLINK_NOFOLLOW]);
  }

  lstatSync(path: string | Buffer): { isSymbolicLink(): boolean } | undefined {
    const name = bytesOf(path);
    if (!this.#names.has(name)) return undefined;
    return { isSymbolicLink: () => this.#names.get(name) !== undefined };
  }

  readlinkSync(path: string | Buffer): ByteString {
    return this.#names.get(bytesOf(path)) ?? refuse();
  }

  readonly ftruncateSync = refuse; // a sparse file
  readonly unlinkSync = refuse; // an entry that replaces another
  readonly rmdirSync = refuse;
  readonly readdirSync = refuse;
  readonly setXattr = refuse; // the file system may not take it, and that is counted
  readonly leaveRoot = refuse;
  readonly clone = refuse;
  readonly syncFileSystem = refuse;
  readonly openBeneath = refuse; // a layer below
  readonly readLink = refuse;
  readonly readXattrs = refuse;

  #do(name: SyscallName, args: readonly Argument[], result?: Slot): void {
    if (this.steps.length >= MAX_STEPS) refuse();
    this.steps.push(call('rootless', WHY, name, args, result === undefined ? {} : { result }));
  }

  /** A name is made. */
  #name(path: string | Buffer, leadsTo: ByteString | undefined): void {
    const name = bytesOf(path);
    if (this.#names.has(name)) refuse();
    this.#names.set(name, leadsTo);
  }

  /** The same memory each time. */
  #path(path: string | Buffer): Memory {
    const name = bytesOf(path);
    const known = this.#paths.get(name);
    if (known !== undefined) return known;
    const made = cPath(name);
    this.#paths.set(name, made);
    return made;
  }

  #timesOf(atime: bigint, mtime: bigint): Memory {
    const key = `${atime} ${mtime}`;
    const known = this.#times.get(key);
    if (known !== undefined) return known;
    const made = { fields: [...timespec(atime), ...timespec(mtime)] };
    this.#times.set(key, made);
    return made;
  }
}
