/**
 * Whiteouts: how a layer says that something of the layers below is gone (image-spec layer.md, "Whiteouts").
 *
 * | in the archive       | means                                                     | on disk                                  |
 * |----------------------|-----------------------------------------------------------|------------------------------------------|
 * | `d/.wh.x`            | lower layers' `d/x` is hidden                              | character device 0:0 named `d/x`         |
 * |   … and `d/x/` too   | the same, and this layer's directory is there instead      | `user.overlay.opaque=y` on `d/x`         |
 * | `d/.wh..wh..opq`     | all that lower layers have in `d` is hidden                | `user.overlay.opaque=y` on `d`           |
 * | `.wh..wh.plnk/x`     | the content of hard links that follow, from docker on AUFS | nothing                                  |
 * | `.wh..wh.*` (others) | notes of AUFS to itself, of no meaning here                | nothing                                  |
 *
 * "Whiteout files MUST only apply to resources in lower/parent layers": files of the same layer stay, whichever comes first, which
 * is why whiteouts are only collected while entries are applied, and made at the end. The form on disk is that of the kernel's
 * overlay mounted with `userxattr` (kernel 5.11); the device 0:0 may be made without privileges (5.8).
 */
import type { ByteString } from './tar-entry.ts';

export const OPAQUE_VALUE = Buffer.from('y');

export const WHITEOUT_PREFIX = '.wh.';
const META_PREFIX = '.wh..wh.';
export const OPAQUE_NAME = '.wh..wh..opq';
/** AUFS kept files of more than one name in here, and the archive links their names to it. */
export const LINK_CONTENTS = '.wh..wh.plnk';

export type Whiteout =
  | { kind: 'none' }
  | { kind: 'whiteout'; path: ByteString }
  | { kind: 'opaque'; directory: ByteString }
  | { kind: 'link-content' }
  | { kind: 'ignored' }
  | { kind: 'invalid'; problem: string };

/** What the clean path of an entry means. */
export function classifyWhiteout(path: ByteString): Whiteout {
  if (!path.includes(WHITEOUT_PREFIX)) return { kind: 'none' };
  const components = path.split('/');
  if (components.length === 2 && components[0] === LINK_CONTENTS) return { kind: 'link-content' };
  const name = components.pop() ?? '';
  if (components.some((component) => component.startsWith(META_PREFIX))) return { kind: 'ignored' };
  if (components.some((component) => component.startsWith(WHITEOUT_PREFIX))) {
    return { kind: 'invalid', problem: `its name holds a directory that starts with "${WHITEOUT_PREFIX}"` };
  }
  if (!name.startsWith(WHITEOUT_PREFIX)) return { kind: 'none' };
  if (name === OPAQUE_NAME) return { kind: 'opaque', directory: components.join('/') };
  if (name.startsWith(META_PREFIX)) return { kind: 'ignored' };
  const hidden = name.slice(WHITEOUT_PREFIX.length);
  if (hidden === '' || hidden === '.' || hidden === '..') {
    return { kind: 'invalid', problem: `it is a whiteout of ${hidden === '' ? 'nothing' : `"${hidden}"`}` };
  }
  return { kind: 'whiteout', path: [...components, hidden].join('/') };
}

/** Whether a file of a layer on disk is a whiteout: a character device 0:0. */
export const isWhiteoutDevice = (stats: { mode: bigint; rdev: bigint }): boolean =>
  (stats.mode & 0o170000n) === 0o020000n && stats.rdev === 0n;
