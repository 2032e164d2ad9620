/**
 * `debian`: a test image of at least 8 000 files: the packages that every Debian has, with what they depend on, as they are on this
 * machine, and one directory that holds everything an unpacker can get wrong.
 */
import {
  entriesOf,
  installedPackages,
  packageFiles,
  rootLinks,
  withDependencies,
} from './debian-packages.ts';
import type { Recipe } from './oci-layout.ts';
import { directory, type Entry, file, hardlink, symlink } from './tar-archive.ts';

/** A slim Debian has no documentation, and so fewer files. */
const LEAST_ENTRIES = 8_500;

/** struct vfs_cap_data of linux/capability.h: revision 2, effective; permitted = cap_net_bind_service, cap_net_raw. */
const CAPABILITY = Buffer.from('0100000200240000000000000000000000000000', 'hex');
/** The same with every byte above 0x7f, which is no UTF-8. */
const CAPABILITY_HIGH_BITS = Buffer.from('01000002ffffffff00000000ff01000000000000', 'hex');

const LONG = 'a-name-longer-than-the-hundred-bytes-of-a-tar-header-';

function fixtures(): Entry[] {
  const at = 'srv/fixtures';
  return [
    directory('srv'),
    directory(at),
    file(`${at}/setuid`, 'setuid\n', { mode: 0o4755 }),
    file(`${at}/setgid`, 'setgid\n', { mode: 0o2755, gid: 42 }),
    directory(`${at}/sticky`, { mode: 0o1777 }),
    directory(`${at}/setgid-directory`, { mode: 0o2775, gid: 8 }),
    file(`${at}/owned`, 'owned by www-data\n', { uid: 33, gid: 33, mode: 0o640 }),
    file(`${at}/owned-setuid`, 'chown must come before chmod\n', { uid: 33, gid: 33, mode: 0o6755 }),
    file(`${at}/nobody`, 'owned by the last id of a usual range\n', { uid: 65_534, gid: 65_534 }),
    file(`${at}/capability`, 'file capability\n', {
      mode: 0o755,
      xattrs: { 'security.capability': CAPABILITY },
    }),
    file(`${at}/capability-bytes`, 'a capability of bytes above 0x7f\n', {
      mode: 0o755,
      xattrs: { 'security.capability': CAPABILITY_HIGH_BITS },
    }),
    file(`${at}/xattr`, 'user attribute\n', { xattrs: { 'user.tsrun': Buffer.from([0xff, 0x00, 0x41]) } }),
    file(`${at}/fraction`, 'mtime with nanoseconds\n', { mtime: 1_600_000_000.125 }),
    file(`${at}/epoch`, 'the epoch itself\n', { mtime: 0 }),
    file(`${at}/first-name`, 'two names\n'),
    hardlink(`${at}/second-name`, `${at}/first-name`),
    symlink(`${at}/symlink`, '../../etc/debian_version', { uid: 33, gid: 33, mtime: 1_600_000_000 }),
    symlink(`${at}/dangling`, '/nowhere/at/all'),
    hardlink(`${at}/linked-symlink`, `${at}/dangling`, { mode: 0o777 }),
    { type: 'fifo', path: `${at}/fifo`, mode: 0o620, uid: 1, gid: 5 },
    directory(`${at}/read-only`, { mode: 0o555 }),
    file(`${at}/read-only/inside`, 'a directory is closed after its content is there\n', { mode: 0o444 }),
    directory(`${at}/dated`, { mtime: 1_500_000_000 }),
    file(`${at}/dated/inside`, 'must not change its directory’s time\n'),
    directory(`${at}/${LONG.repeat(3)}`),
    file(`${at}/${LONG.repeat(3)}/${LONG}`, 'a long path\n'),
    symlink(`${at}/long-link`, `${LONG.repeat(3)}/${LONG}`),
    file(`${at}/naïve – файл – ファイル`, 'not ASCII\n'),
    file(`${at}/new\nline and 'quotes"`, 'a line feed in the name\n'),
    file(`${at}/empty`, ''),
    file(`${at}/0`, Buffer.alloc(1 << 20), { mode: 0 }),
  ];
}

/** As many small files as are missing. */
function filler(present: number): Entry[] {
  const count = Math.max(0, LEAST_ENTRIES - present);
  const at = 'srv/filler';
  return [
    directory(at),
    ...Array.from({ length: count }, (_, i) => file(`${at}/${i}`, `file ${i} of ${count}\n`)),
  ];
}

export function debian(): Recipe {
  const required = [...installedPackages()].filter(([, found]) => found.required).map(([name]) => name);
  const paths = packageFiles(withDependencies(required)).filter((path) => path !== 'srv');
  const links = rootLinks();
  const linked = new Set(links.map(({ path }) => path));
  const system = entriesOf(paths.filter((path) => !linked.has(path)));
  const own = fixtures();
  return {
    name: 'debian',
    layers: [
      {
        comment: 'the required packages of this Debian, and fixtures',
        entries: [...links, ...system, ...own, ...filler(links.length + system.length + own.length)],
      },
    ],
    config: { Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'], Cmd: ['bash'] },
  };
}
