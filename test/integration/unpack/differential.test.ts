/**
 * The same layers unpacked by tsrun's worker, mounted by the kernel's overlay, and by umoci, file by file: type, mode, owner, time
 * to the nanosecond, attributes, links, content.
 *
 * umoci runs as root of the same namespaces, so that owners are real; once more with --rootless, where it records owners instead.
 */
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ManifestLine } from '../../support/manifest.ts';
import { directory, file, hardlink, symlink, tarArchive, tarEntry } from '../../support/tar-builder.ts';
import { removeInside, scratchDirectory, shellInside, unpackInside } from '../../support/unpack-inside.ts';

const scratch = scratchDirectory();
const MANIFEST = join(import.meta.dirname, '../../support/manifest.ts');
/** VFS_CAP_REVISION_2, effective, cap_net_raw */
const CAPABILITY = Buffer.from('0100000200200000000000000000000000000000', 'hex');

/** A part of the host's /usr, as GNU tar writes it: real names, links, sizes and times. */
function hostLayer(): Buffer {
  const wanted = [
    'usr/share/perl5',
    'usr/share/bash-completion',
    'usr/lib/systemd/system',
    'etc/alternatives',
    'usr/bin/perl',
  ];
  const present = wanted.filter((path) => fs.existsSync(`/${path}`));
  expect(present.length).toBeGreaterThan(2);
  const parents = ['usr', 'usr/bin', 'usr/share', 'usr/lib', 'usr/lib/systemd', 'etc'];
  const options = [
    '-c',
    '--format=pax',
    '--pax-option=delete=atime,delete=ctime',
    '--numeric-owner',
    '-C',
    '/',
  ];
  const perl = ['usr/bin/perl5.36.0', 'usr/bin/perl5.40.1'].filter((path) => fs.existsSync(`/${path}`));
  const members = ['--no-recursion', ...parents, '--recursion', ...present, ...perl];
  return execFileSync('tar', [...options, ...members], { maxBuffer: 1 << 28 });
}

/** Everything that is rare. */
function specialLayer(): Buffer {
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
function changeLayer(): Buffer {
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

let layers: Buffer[];
let ours: ManifestLine[];

/** umoci's result: the directory of the root file system. */
async function umoci(name: string, how: 'root' | 'rootless'): Promise<string> {
  const layout = join(scratch, `${name}-layout`);
  const run = (...args: string[]) =>
    execFileSync('umoci', args, { stdio: 'pipe', env: { ...process.env, HOME: scratch } });
  run('init', '--layout', layout);
  run('new', '--image', `${layout}:image`);
  layers.forEach((layer, i) => {
    const path = join(scratch, `${name}-${i}.tar`);
    fs.writeFileSync(path, layer);
    run('raw', 'add-layer', '--image', `${layout}:image`, path);
  });
  const bundle = join(scratch, `${name}-bundle`);
  if (how === 'rootless') run('unpack', '--rootless', '--image', `${layout}:image`, bundle);
  else await shellInside(`umoci unpack --image ${layout}:image ${bundle} >&2`);
  return join(bundle, 'rootfs');
}

const lines = (output: string): ManifestLine[] =>
  output
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as ManifestLine);

const manifestInside = async (root: string): Promise<ManifestLine[]> =>
  lines(await shellInside(`${process.execPath} ${MANIFEST} ${root}`));

beforeAll(async () => {
  layers = [hostLayer(), specialLayer(), changeLayer()];
  const { directories } = await unpackInside(scratch, layers);
  const merged = join(scratch, 'merged');
  fs.mkdirSync(merged);
  ours = lines(
    await shellInside(
      `mount -t overlay overlay -o userxattr,lowerdir=${directories.join(':')} ${merged}; ${process.execPath} ${MANIFEST} ${merged}`,
    ),
  );
});
afterAll(() => removeInside(scratch));

/** `path: field ours theirs`, one line each: what vitest shows of thousands of files is of no use. */
function differences(
  left: readonly Partial<ManifestLine>[],
  right: readonly Partial<ManifestLine>[],
): string[] {
  const byPath = (list: readonly Partial<ManifestLine>[]) => new Map(list.map((line) => [line.path, line]));
  const [a, b] = [byPath(left), byPath(right)];
  return [...new Set([...a.keys(), ...b.keys()])].flatMap((path) => {
    const [ours, theirs] = [a.get(path), b.get(path)];
    if (!ours || !theirs) return [`${path}: only in ${ours ? 'ours' : 'theirs'}`];
    const fields = Object.keys({ ...ours, ...theirs }) as (keyof ManifestLine)[];
    return fields
      .filter((field) => JSON.stringify(ours[field]) !== JSON.stringify(theirs[field]))
      .map((field) => `${path}: ${field} ${JSON.stringify(ours[field])} ${JSON.stringify(theirs[field])}`);
  });
}

test('equals what umoci unpacks as root', async () => {
  const theirs = await manifestInside(await umoci('root', 'root'));
  // A minimal Debian has 365 of them.
  expect(ours.length).toBeGreaterThan(300);
  expect(differences(ours, theirs)).toEqual([]);
});

test('equals what umoci --rootless unpacks, owners aside', async () => {
  const theirs = await manifestInside(await umoci('rootless', 'rootless'));
  const comparable = ({ owner: _owner, xattrs, ...rest }: ManifestLine) => ({
    ...rest,
    xattrs: xattrs.filter((line) => /^user\.(?!rootlesscontainers)/.test(line)),
  });
  expect(differences(ours.map(comparable), theirs.map(comparable))).toEqual([]);
});
