/** Two layers that hold what is rare: every kind of file, name, owner, attribute and time, and every way to change one. */
import { directory, file, hardlink, symlink, tarArchive, tarEntry } from './tar-builder.ts';

/** VFS_CAP_REVISION_2, effective, cap_net_raw */
const CAPABILITY = Buffer.from('0100000200200000000000000000000000000000', 'hex');

/** Everything that is rare. */
export function specialLayer(): Buffer {
  const long = 'long-directory-name/';
  return tarArchive(
    directory('./', { mode: 0o711, mtime: 1_500_000_000 }),
    directory('var', { mtime: 1_400_000_000 }),
    directory('var/mail', { mode: 0o2775, gid: 8 }),
    file('var/mail/box', 'mail', { uid: 33, gid: 8, mode: 0o660 }),
    directory('tmp', { mode: 0o1777 }),
    directory('readonly', { mode: 0o555, uid: 7 }),
    file('readonly/f', 'x', { mode: 0o400, uid: 7 }),
    file('su', 'suid', { mode: 0o4755 }),
    file('sg', 'sgid', { mode: 0o2755, gid: 42 }),
    file('nobody', 'n', { uid: 65_534, gid: 65_534, mode: 0o6711 }),
    tarEntry({ name: 'ping', mode: 0o755 }, 'binary', { 'SCHILY.xattr.security.capability': CAPABILITY }),
    tarEntry({ name: 'attributes', uid: 5 }, 'x', {
      'SCHILY.xattr.user.a': Buffer.from([0, 1, 0xff]),
      'SCHILY.xattr.user.b': 'text',
    }),
    tarEntry({ name: 'attributed', type: '5', mode: 0o750 }, '', { 'SCHILY.xattr.user.d': 'x' }),
    tarEntry({ name: 'precise' }, 'x', { mtime: '1234567890.123456789' }),
    tarEntry({ name: 'ancient' }, 'x', { mtime: '-86400' }),
    tarEntry({ name: 'far', mtime: 0 }, 'x', { mtime: '4102444800' }),
    tarEntry({ name: 'precise-link', type: '2', linkname: 'precise' }, '', { mtime: '1234567890.987654321' }),
    ...Array.from({ length: 15 }, (_, i) =>
      tarEntry({ type: '5', mode: 0o755 }, '', { path: long.repeat(i + 1) }),
    ),
    tarEntry({}, 'x', { path: `${long.repeat(15)}file` }),
    file('caf\xe9-\xff', 'latin1'),
    tarEntry({}, 'x', { path: 'm\xc3\xa9l\xc3\xa8ze' }),
    file('a b\tc', 'blanks'),
    hardlink('su2', 'su', { mode: 0o4755 }),
    hardlink('var/su3', './su2', { mode: 0o4755 }),
    symlink('dangling', '/nowhere/at/all', { uid: 3, gid: 4 }),
    hardlink('dangling2', 'dangling'),
    symlink('lib', 'usr/lib'),
    tarEntry({ name: 'pipe', type: '6', mode: 0o622, uid: 9 }),
    tarEntry({ name: 'sparse' }, 'datadata', {
      'GNU.sparse.numblocks': '2',
      'GNU.sparse.map': '4096,4,1000000,4',
      'GNU.sparse.size': '2000000',
    }),
    directory('gone', { mtime: 5 }),
    file('gone/a'),
    directory('kept', { mode: 0o770, uid: 11, mtime: 1_300_000_000 }),
    file('kept/lower', 'l'),
    directory('kept/opaque', { mtime: 1_200_000_000 }),
    file('kept/opaque/hidden'),
    directory('becomes-file'),
    file('becomes-file/x'),
    file('becomes-directory', 'x'),
    symlink('becomes-real', 'kept'),
  );
}

/** A change on top: whiteouts, replacement, parents that are only below, links into the layer below. */
export function changeLayer(): Buffer {
  return tarArchive(
    file('.wh.gone', ''),
    file('kept/new', 'n', { mtime: 1_600_000_000 }),
    file('kept/.wh.lower', ''),
    file('kept/opaque/.wh..wh..opq', ''),
    directory('kept/opaque', { mode: 0o700, mtime: 1_600_000_001 }),
    file('kept/opaque/shown', 's'),
    file('becomes-file', 'file', { mode: 0o640 }),
    directory('becomes-directory', { mode: 0o711, mtime: 1_600_000_002 }),
    file('becomes-directory/f', 'f'),
    directory('becomes-real', { mode: 0o755, mtime: 1_600_000_003 }),
    file('becomes-real/r', 'r'),
    hardlink('nobody2', 'nobody', { uid: 65_534, gid: 65_534, mode: 0o6711 }),
    hardlink('ping2', 'ping', { mode: 0o755 }),
    directory('var/mail', { mode: 0o2770, gid: 8, uid: 12, mtime: 1_600_000_004 }),
    file('lib/through-link', 'x'),
    file('lib/systemd/also', 'x'),
    symlink('tmp/l', '../lib'),
    file('tmp/l/deeper', 'x'),
  );
}
