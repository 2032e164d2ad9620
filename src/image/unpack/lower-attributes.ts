import { closeSync } from 'node:fs';
import type { Attributes } from './attributes.ts';
import type { LowerNode, LowerView } from './lower-view.ts';
import { OVERRIDE_XATTR } from './owner.ts';
import type { ByteString } from './tar-entry.ts';

/** `uid:gid:0mode` */
const OVERRIDE = /^([0-9]+):([0-9]+):([0-7]+)$/;

/**
 * The attributes of a file of a lower layer, without the overlay's own. Where the owner had to be squashed, it is the recorded
 * one. Extended attributes of anything but files and directories cannot be read through a descriptor, and are left out.
 */
export function attributesOfLower(node: LowerNode, lowers: LowerView, path: ByteString): Attributes {
  const { stats } = node;
  const xattrs =
    stats.isDirectory() || stats.isFile() ? readXattrs(lowers, node.layer, path) : new Map<string, Buffer>();
  const recorded = OVERRIDE.exec(xattrs.get(OVERRIDE_XATTR)?.toString('latin1') ?? '');
  xattrs.delete(OVERRIDE_XATTR);
  return {
    uid: Number(recorded?.[1] ?? stats.uid),
    gid: Number(recorded?.[2] ?? stats.gid),
    mode: recorded ? Number.parseInt(recorded[3] ?? '0', 8) : Number(stats.mode & 0o7777n),
    mtime: stats.mtimeNs,
    atime: stats.atimeNs,
    xattrs,
  };
}

function readXattrs(lowers: LowerView, layer: number, path: ByteString): Map<ByteString, Buffer> {
  const fd = lowers.open(layer, path);
  try {
    const xattrs = lowers.readXattrs(fd);
    for (const name of xattrs.keys()) if (/^(?:user|trusted)\.overlay\./.test(name)) xattrs.delete(name);
    return xattrs;
  } finally {
    closeSync(fd);
  }
}
