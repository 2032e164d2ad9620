/**
 * The system calls of the unpacker. {@link import('./native-host.ts').nativeHost} makes them: those of {@link LayerFiles} by Node, which is
 * fast, and the others, which Node has not, by src/sys at about 20 µs each. {@link import('./layer-recorder.ts').LayerRecorder} makes none, and
 * writes a program of them; test/support/fake-unpack-host.ts keeps those that need privileges in memory.
 *
 * Every method throws a {@link HostError} when the kernel refuses.
 */
import type { Dirent, Stats } from 'node:fs';
import type { ByteString } from './tar-entry.ts';

/** A path of the process's own root, or below a test's directory. */
export type HostPath = ByteString;

/** What makes and looks at the files of the layer, as node:fs has it. */
export interface LayerFiles {
  openSync(path: string | Buffer, flags: number, mode: number): number;
  writeSync(fd: number, chunk: Buffer, offset: number, length: number, position: number): number;
  ftruncateSync(fd: number, size: number): void;
  fchownSync(fd: number, uid: number, gid: number): void;
  fchmodSync(fd: number, mode: number): void;
  /** Seconds since 1970. */
  futimesSync(fd: number, atime: number, mtime: number): void;
  closeSync(fd: number): void;
  mkdirSync(path: string | Buffer, mode: number): unknown;
  symlinkSync(target: string | Buffer, path: string | Buffer): void;
  linkSync(from: string | Buffer, path: string | Buffer): void;
  lchownSync(path: string | Buffer, uid: number, gid: number): void;
  chmodSync(path: string | Buffer, mode: number): void;
  lutimesSync(path: string | Buffer, atime: number, mtime: number): void;
  lstatSync(
    path: string | Buffer,
    options: { throwIfNoEntry: false },
  ): Pick<Stats, 'isSymbolicLink'> | undefined;
  readlinkSync(path: string | Buffer, encoding: 'latin1'): string;
  unlinkSync(path: string | Buffer): void;
  rmdirSync(path: string | Buffer): void;
  readdirSync(
    path: string | Buffer,
    options: { withFileTypes: true; encoding: 'latin1' },
  ): Pick<Dirent, 'name' | 'isDirectory'>[];
}

export interface UnpackHost {
  readonly files: LayerFiles;
  /** Whose the files are that are made: the effective ids. */
  readonly uid: number;
  readonly gid: number;
  /** chroot(2) and chdir(2) to `/` in it. */
  enterRoot(directory: string): void;
  /** fchdir(2) and chroot(2) to `root`, a descriptor opened before enterRoot(): the way back. */
  leaveRoot(root: number): void;
  /** lsetxattr(2) */
  setXattr(path: HostPath, name: ByteString, value: Buffer): void;
  /** mknod(2); `mode` holds the type. */
  makeNode(path: HostPath, mode: number, major: number, minor: number): void;
  /** utimensat(2) with AT_SYMLINK_NOFOLLOW, to the nanosecond, for many files in one go. */
  setTimes(times: readonly { path: HostPath; atime: bigint; mtime: bigint }[]): void;
  /** ioctl(FICLONE): shares all blocks of `from` with `to`. False where the file system cannot. */
  clone(from: number, to: number): boolean;
  /** syncfs(2) on the file system of `fd`. */
  syncFileSystem(fd: number): void;
  /**
   * openat2(2) of `path` ('' = the directory itself) in `directory`, never through a symbolic link, never above it.
   * 'look' opens with O_PATH, which is enough for fstat and readLink. undefined: there is no such file.
   */
  openBeneath(directory: number, path: ByteString, purpose: 'look' | 'read'): number | undefined;
  /** readlinkat(2) of an fd opened to 'look' */
  readLink(fd: number): ByteString;
  /** flistxattr(2) and fgetxattr(2) of an fd opened to 'read' */
  readXattrs(fd: number): Map<ByteString, Buffer>;
}

/** What the kernel answered, in the shape of Node's own errors. */
export class HostError extends Error {
  /** `EPERM` */
  readonly code: string;
  readonly syscall: string;
  constructor(code: string, syscall: string, message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'HostError';
    this.code = code;
    this.syscall = syscall;
  }
}

/** `ENOENT` of an error of Node or of a host; undefined for others. */
export function errnoOf(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) ? code : undefined;
}
