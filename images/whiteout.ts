/** `whiteout`: a test image whose upper layers take away, replace and reach through what lower ones made (image-spec layer.md). */
import { BUSYBOX_ENV, busyboxLayer } from './busybox.ts';
import type { Layer, Recipe } from './oci-layout.ts';
import { directory, file, hardlink, symlink } from './tar-archive.ts';

const lower: Layer = {
  comment: 'what is there at first',
  entries: [
    directory('kept'),
    file('kept/a', 'a of the lower layer\n'),
    file('kept/b', 'b, whited out\n'),
    file('kept/c', 'c, replaced\n'),
    file('gone', 'a whited out file\n'),
    directory('gone-directory'),
    file('gone-directory/file', 'whited out with its directory\n'),
    directory('opaque'),
    file('opaque/old', 'hidden by the opaque whiteout\n'),
    directory('opaque/old-directory'),
    file('opaque/old-directory/file', 'hidden too\n'),
    directory('real'),
    symlink('link', 'real'),
    directory('directory-then-file'),
    file('directory-then-file/inside', 'must vanish\n'),
    file('file-then-directory', 'must vanish\n'),
  ],
};

const upper: Layer = {
  comment: 'whiteouts, an opaque directory, a hard link to the lower layer, a file through its symbolic link',
  entries: [
    file('.wh.gone', ''),
    file('.wh.gone-directory', ''),
    directory('kept'),
    file('kept/.wh.b', ''),
    file('kept/c', 'c of the upper layer\n', { mode: 0o600, uid: 33, gid: 33 }),
    hardlink('kept/d', 'kept/a'),
    directory('opaque', { mode: 0o750 }),
    // After an entry of the same directory: an opaque whiteout hides lower layers only, whatever the order in the archive.
    file('opaque/new', 'shown\n'),
    file('opaque/.wh..wh..opq', ''),
    file('link/through', 'lands in real/\n'),
    file('directory-then-file', 'a file now\n'),
    directory('file-then-directory'),
    file('file-then-directory/inside', 'a directory now\n'),
  ],
};

const top: Layer = {
  comment: 'brings one back, and whites out one that is not there',
  entries: [
    file('gone', 'back again\n'),
    file('.wh.never-was', ''),
    directory('kept'),
    file('kept/.wh.d', ''),
  ],
};

export const whiteout = (): Recipe => ({
  name: 'whiteout',
  layers: [busyboxLayer(), lower, upper, top],
  config: { Env: BUSYBOX_ENV, Cmd: ['sh'] },
});
