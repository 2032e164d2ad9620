/**
 * The unpacker's system calls without any privilege: attributes, devices and exact times are kept in memory, the rest is done by
 * Node. An empty file stands for a device. Paths are those of a test's directory, which stands for the root.
 */
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { HostError, type UnpackHost } from '../../src/image/unpack/host.ts';
import { toFsPath } from '../../src/image/unpack/tar-entry.ts';

const O_PATH = 0o10000000;

export class FakeUnpackHost implements UnpackHost {
  readonly files = fs;
  readonly uid = process.geteuid?.() ?? 0;
  readonly gid = process.getegid?.() ?? 0;
  /** path → name → value as text */
  readonly xattrs = new Map<string, Record<string, string>>();
  /** path → `mode major:minor` */
  readonly nodes = new Map<string, string>();
  readonly times = new Map<string, { atime: bigint; mtime: bigint }>();
  /** Names of attributes that are refused with EPERM. */
  readonly refusedXattrs = new Set<string>();
  mayMakeDevices = false;
  readonly calls: string[] = [];

  enterRoot(directory: string): void {
    this.calls.push(`enterRoot ${directory}`);
  }
  leaveRoot(): void {
    this.calls.push('leaveRoot');
  }
  setXattr(path: string, name: string, value: Buffer): void {
    if (this.refusedXattrs.has(name)) throw new HostError('EPERM', 'lsetxattr', 'refused');
    fs.lstatSync(toFsPath(path));
    this.xattrs.set(path, { ...this.xattrs.get(path), [name]: value.toString('latin1') });
  }
  makeNode(path: string, mode: number, major: number, minor: number): void {
    const isWhiteout = (mode & 0o170000) === fs.constants.S_IFCHR && major === 0 && minor === 0;
    const isFifo = (mode & 0o170000) === fs.constants.S_IFIFO;
    if (fs.lstatSync(toFsPath(path), { throwIfNoEntry: false }))
      throw new HostError('EEXIST', 'mknodat', 'exists');
    if (!isWhiteout && !isFifo && !this.mayMakeDevices)
      throw new HostError('EPERM', 'mknodat', 'not permitted');
    // a whiteout is real, so that the view of lower layers finds it: nobody needs privileges for that
    if (isWhiteout) execFileSync('mknod', [toFsPath(path) as string, 'c', '0', '0']);
    else fs.writeFileSync(toFsPath(path), '', { mode: 0o600 });
    this.nodes.set(path, `${mode.toString(8)} ${major}:${minor}`);
  }
  setTimes(times: readonly { path: string; atime: bigint; mtime: bigint }[]): void {
    for (const { path, ...rest } of times) {
      fs.lstatSync(toFsPath(path));
      this.times.set(path, rest);
    }
  }
  clone(): boolean {
    return false;
  }
  syncFileSystem(): void {
    this.calls.push('sync');
  }
  openBeneath(directory: number, path: string, purpose: 'look' | 'read'): number | undefined {
    const { O_NOFOLLOW, O_RDONLY, O_NONBLOCK } = fs.constants;
    const flags = purpose === 'look' ? O_PATH | O_NOFOLLOW : O_RDONLY | O_NOFOLLOW | O_NONBLOCK;
    try {
      return fs.openSync(toFsPath(`/proc/self/fd/${directory}/${path === '' ? '.' : path}`), flags);
    } catch (error) {
      if (/ENOENT|ENOTDIR/.test(String(error))) return undefined;
      throw error;
    }
  }
  readLink(fd: number): string {
    return fs.readlinkSync(fs.readlinkSync(`/proc/self/fd/${fd}`), 'latin1');
  }
  readXattrs(fd: number): Map<string, Buffer> {
    const path = fs.readlinkSync(`/proc/self/fd/${fd}`, 'latin1');
    return new Map(
      Object.entries(this.xattrs.get(path) ?? {}).map(([k, v]) => [k, Buffer.from(v, 'latin1')]),
    );
  }
}
