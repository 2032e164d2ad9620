/** {@link UnpackHost} over src/sys. */
import { callForBytes } from '../../sys/call-for-bytes.ts';
import { call } from '../../sys/calls.ts';
import {
  AT_FDCWD,
  AT_SYMLINK_NOFOLLOW,
  O_CLOEXEC,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_PATH,
  RESOLVE_NO_SYMLINKS,
} from '../../sys/constants.ts';
import { errnoName } from '../../sys/errno.ts';
import { nativeRunner, type Results, SyscallFailure } from '../../sys/run.ts';
import { type Argument, type Field, type Memory, Slots, type Step } from '../../sys/step.ts';
import type { SyscallName } from '../../sys/syscall-numbers.ts';
import { HostError, type UnpackHost } from './host.ts';
import type { ByteString } from './tar-entry.ts';

const FICLONE = 0x40049409;
const RESOLVE_BENEATH = 0x08;
const SECOND = 1_000_000_000n;
const PATH_MAX = 4096;

/** A path or name for the kernel. */
export const cPath = (value: ByteString): Memory => Buffer.from(`${value}\0`, 'latin1');
const why = 'unpack a layer';

/** Makes one system call. @throws HostError */
export function invoke(name: SyscallName, args: readonly Argument[]): number {
  const slots = new Slots();
  const result = slots.new('result');
  return run(slots, [call('rootless', why, name, args, { result })])(result);
}

const run = (slots: Slots, steps: readonly Step[]): Results =>
  translated(() => nativeRunner.run({ slots, steps }));

function translated<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof SyscallFailure)) throw error;
    const syscall = error.step.op.kind === 'syscall' ? error.step.op.name : error.step.op.kind;
    throw new HostError(errnoName(error.errno), syscall, error.message, error);
  }
}

/** callForBytes, with the errors of a host. */
export function readBytes(name: SyscallName, before: readonly Argument[], size: number): Buffer {
  return translated(() => callForBytes(why, name, before, size));
}

/** The value or list that `name` returns, asking for its size first. */
export function readSized(name: SyscallName, before: readonly Argument[]): Buffer {
  const size = invoke(name, [...before, 0, 0]);
  if (size === 0) return Buffer.alloc(0);
  return readBytes(name, before, size);
}

/** struct timespec */
export const timespec = (nanoseconds: bigint): Field[] => {
  const rest = ((nanoseconds % SECOND) + SECOND) % SECOND;
  return [
    { width: 8, value: (nanoseconds - rest) / SECOND },
    { width: 8, value: rest },
  ];
};

export const nativeHost: UnpackHost = {
  files: process.getBuiltinModule('node:fs'), // an import of all of it would be a copy
  get uid() {
    return process.geteuid?.() ?? 0;
  },
  get gid() {
    return process.getegid?.() ?? 0;
  },
  enterRoot(directory) {
    run(new Slots(), [
      call('rootless', 'confine the unpacker to the layer', 'chroot', [directory]),
      call('rootless', 'confine the unpacker to the layer', 'chdir', ['/']),
    ]);
  },
  leaveRoot(root) {
    const why = 'back from the layer, for the next one';
    run(new Slots(), [call('rootless', why, 'fchdir', [root]), call('rootless', why, 'chroot', ['.'])]);
  },
  setXattr(file, name, value) {
    invoke('lsetxattr', [cPath(file), cPath(name), Buffer.from(value), value.length, 0]);
  },
  makeNode(file, mode, major, minor) {
    invoke('mknodat', [AT_FDCWD, cPath(file), mode, deviceNumber(major, minor)]);
  },
  setTimes(times) {
    const steps = times.map(({ path: file, atime, mtime }) => {
      const fields = [...timespec(atime), ...timespec(mtime)];
      return call('rootless', why, 'utimensat', [AT_FDCWD, cPath(file), { fields }, AT_SYMLINK_NOFOLLOW]);
    });
    run(new Slots(), steps);
  },
  clone(from, to) {
    try {
      invoke('ioctl', [to, FICLONE, from]);
      return true;
    } catch (error) {
      if (error instanceof HostError && CANNOT_CLONE.has(error.code)) return false;
      throw error;
    }
  },
  syncFileSystem(fd) {
    invoke('syncfs', [fd]);
  },
  openBeneath(directory, file, purpose) {
    const flags = O_CLOEXEC | O_NOFOLLOW | (purpose === 'look' ? O_PATH : O_NONBLOCK);
    const how: Field[] = [
      { width: 8, value: file === '' ? flags | O_DIRECTORY : flags },
      { width: 8, value: 0 },
      { width: 8, value: RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH },
    ];
    // a link as the last component is an error with RESOLVE_NO_SYMLINKS, unless O_PATH|O_NOFOLLOW asks for the link itself
    try {
      return invoke('openat2', [directory, cPath(file === '' ? '.' : file), { fields: how }, 24]);
    } catch (error) {
      if (error instanceof HostError && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))
        return undefined;
      throw error;
    }
  },
  readLink(fd) {
    return readBytes('readlinkat', [fd, cPath('')], PATH_MAX).toString('latin1');
  },
  readXattrs(fd) {
    const xattrs = new Map<ByteString, Buffer>();
    let names: string;
    try {
      names = readSized('flistxattr', [fd]).toString('latin1');
    } catch (error) {
      if (error instanceof HostError && error.code === 'EOPNOTSUPP') return xattrs;
      throw error;
    }
    for (const name of names.split('\0')) {
      if (name !== '') xattrs.set(name, readSized('fgetxattr', [fd, cPath(name)]));
    }
    return xattrs;
  },
};

const CANNOT_CLONE = new Set(['EOPNOTSUPP', 'EINVAL', 'EXDEV', 'ENOTTY', 'EPERM', 'ENOSYS']);

/** makedev(3) as the kernel's new_encode_dev lays it out for mknod(2). */
const deviceNumber = (major: number, minor: number): number =>
  (minor & 0xff) + major * 256 + (minor - (minor & 0xff)) * 4096;
