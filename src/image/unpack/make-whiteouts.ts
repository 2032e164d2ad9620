import { constants } from 'node:fs';
import { OPAQUE_XATTR } from '../../rootfs/find-in-layers.ts';
import { splitPath } from './entry-path.ts';
import type { UnpackHost } from './host.ts';
import type { LayerTree } from './layer-tree.ts';
import { OPAQUE_VALUE } from './whiteout.ts';

/**
 * Makes the whiteouts that a layer needs, in the form of whiteout.ts, and no others: in a directory that is not merged with one
 * below, the overlay would show the device to whoever lists it.
 */
export function makeWhiteouts(host: UnpackHost, tree: LayerTree): void {
  for (const path of tree.hidden) {
    if (!tree.directories.has(splitPath(path).parent)) continue;
    const below = tree.lookupBeneath(path);
    if (!below) continue;
    if (tree.directories.has(path)) {
      if (below.kind === 'directory') host.setXattr(tree.hostPath(path), OPAQUE_XATTR, OPAQUE_VALUE);
    } else if (!tree.exists(path)) host.makeNode(tree.hostPath(path), constants.S_IFCHR | 0o600, 0, 0);
  }
  for (const path of tree.opaque) {
    if (!tree.directories.has(path) || tree.lookupLower(path)?.kind !== 'directory') continue;
    host.setXattr(tree.hostPath(path), OPAQUE_XATTR, OPAQUE_VALUE);
  }
}
