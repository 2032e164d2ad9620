/**
 * The system calls of the unpacker that Node has not. {@link import('./native-host.ts').nativeHost} makes them by src/sys;
 * test/support/fake-unpack-host.ts keeps them in memory. A call costs about 20 µs, so only entries that need one make one.
 *
 * Every method throws a {@link HostError} when the kernel refuses.
 */
import type { ByteString } from './tar-entry.ts';

/** A path of the process's own root, or below a test's directory. */
export type HostPath = ByteString;

export interface UnpackHost {
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
