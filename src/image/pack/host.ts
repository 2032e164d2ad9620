/** The system calls of the packer that Node has not, or not for names that are bytes. Each throws a HostError. */
import { HostError } from '../unpack/host.ts';
import { cPath, invoke, nativeHost, readBytes, readSized } from '../unpack/native-host.ts';
import type { ByteString } from '../unpack/tar-entry.ts';

export interface PackHost {
  /** chroot(2) and chdir(2) to `/` in it. */
  enterRoot(directory: string): void;
  /** chdir(2) */
  enter(path: ByteString): void;
  /** llistxattr(2) and lgetxattr(2); never follows a link. */
  readXattrs(path: ByteString): Map<ByteString, Buffer>;
}

/** Lists of names seldom have more; a longer one takes two more calls. */
const LIST_SIZE = 1024;

function listXattrs(path: ByteString): string {
  try {
    return readBytes('llistxattr', [cPath(path)], LIST_SIZE).toString('latin1');
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    if (error.code === 'EOPNOTSUPP') return '';
    if (error.code !== 'ERANGE') throw error;
    return readSized('llistxattr', [cPath(path)]).toString('latin1');
  }
}

export const nativePackHost: PackHost = {
  enterRoot: (directory) => nativeHost.enterRoot(directory),
  enter(path) {
    invoke('chdir', [cPath(path)]);
  },
  readXattrs(path) {
    const xattrs = new Map<ByteString, Buffer>();
    for (const name of listXattrs(path).split('\0').sort()) {
      if (name !== '') xattrs.set(name, readSized('lgetxattr', [cPath(path), cPath(name)]));
    }
    return xattrs;
  },
};
