/** Which extended attributes of a file belong into an archive of it. */
import { OVERRIDE_XATTR } from '../unpack/owner.ts';
import type { ByteString } from '../unpack/tar-entry.ts';

/** The bookkeeping of overlays; labels and measurements of this machine, which mean nothing on another. */
const LOCAL =
  /^(?:(?:user|trusted)\.overlay\.|(?:user|trusted)\.fuseoverlayfs\.|security\.(?:selinux|ima|evm|SMACK64))/;

export function archivedXattrs(xattrs: ReadonlyMap<ByteString, Buffer>): ReadonlyMap<ByteString, Buffer> {
  if (xattrs.size === 0) return xattrs;
  return new Map([...xattrs].filter(([name]) => name !== OVERRIDE_XATTR && !LOCAL.test(name)));
}

const OPAQUE_XATTRS = ['user.overlay.opaque', 'user.fuseoverlayfs.opaque', 'trusted.overlay.opaque'];

/** Does nothing of the layers below show in the directory with these attributes? */
export const isOpaque = (xattrs: ReadonlyMap<ByteString, Buffer>): boolean =>
  OPAQUE_XATTRS.some((name) => xattrs.get(name)?.toString('latin1') === 'y');
