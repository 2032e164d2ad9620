/** Applying layers: replacement, whiteouts, the merged view of parents and link targets, attributes (image-spec layer.md). */
import * as fs from 'node:fs';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  type ApplyArchiveOptions,
  applyLayers,
  type Layers,
  listLayer,
  removeLayers,
} from '../../support/apply-archive.ts';
import { FakeUnpackHost } from '../../support/fake-unpack-host.ts';
import { directory, file, hardlink, symlink, tarArchive, tarEntry } from '../../support/tar-builder.ts';

const apply = (layers: readonly (readonly Buffer[])[], options: ApplyArchiveOptions = {}): Layers => {
  const result = applyLayers(
    layers.map((parts) => tarArchive(...parts)),
    options,
  );
  onTestFinished(() => removeLayers(result));
  return result;
};
/** What the topmost layer holds, without its root. */
const listing = (...layers: readonly Buffer[][]): string[] => listLayer(apply(layers)).slice(1);
const refusal = (...layers: readonly Buffer[][]): string => {
  try {
    apply(layers);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('it was accepted');
};

describe('one layer', () => {
  test('files, directories, links, names of every spelling', () => {
    expect(
      listing([
        directory('./d/', { mode: 0o1777 }),
        file('./d/f', 'one', { mode: 0o4750 }),
        file('/abs', 'two', { mode: 0o444 }),
        symlink('s', '/etc/passwd'),
        hardlink('h', './d//f'),
        file('a/../up', 'x'),
      ]),
    ).toEqual([
      'abs file 444 two',
      'd dir 1777',
      'd/f file 4750 one',
      'h file 4750 one',
      's -> /etc/passwd',
      'up file 644 x',
    ]);
  });
  test('hard links are one file', () => {
    const { directories } = apply([[file('a'), hardlink('b', 'a'), symlink('l', 'a'), hardlink('m', 'l')]]);
    const stats = (name: string) => fs.lstatSync(`${directories[0]}/${name}`);
    expect(stats('a').ino).toBe(stats('b').ino);
    expect(stats('l').ino).toBe(stats('m').ino);
    expect(stats('m').isSymbolicLink()).toBe(true);
  });
  test('parents that no entry describes are made: root, 0755, the time of the entry', () => {
    const layers = apply([[file('a/b/f', '', { mtime: 1234 })]]);
    expect(listLayer(layers)).toEqual(['. dir 755', 'a dir 755', 'a/b dir 755', 'a/b/f file 644 ']);
    expect(fs.statSync(`${layers.directories[0]}/a`).mtimeMs).toBe(1_234_000);
  });
  test('the last entry wins', () => {
    expect(listing([file('f', 'one', { mode: 0o600 }), file('f', 'two')])).toEqual(['f file 644 two']);
    expect(listing([file('x'), directory('x'), file('x/y')])).toEqual(['x dir 755', 'x/y file 644 content']);
    expect(listing([directory('x'), directory('x/y'), file('x/y/z'), file('x', 'f')])).toEqual([
      'x file 644 f',
    ]);
    expect(listing([directory('x'), file('x/y'), symlink('x', 't')])).toEqual(['x -> t']);
    expect(listing([symlink('x', 't'), directory('x')])).toEqual(['x dir 755']);
    expect(listing([directory('x', { mode: 0o700 }), file('x/f'), directory('x', { mode: 0o711 })])).toEqual([
      'x dir 711',
      'x/f file 644 content',
    ]);
  });
  test('a replaced name does not change what its other names show', () => {
    expect(listing([file('a', 'old'), hardlink('b', 'a'), file('a', 'new')])).toEqual([
      'a file 644 new',
      'b file 644 old',
    ]);
    const late = { mtime: '77.5' };
    const { host, directories } = apply([
      [tarEntry({ name: 'a' }, 'x', late), hardlink('b', 'a'), file('a', 'new')],
    ]);
    expect(host.times.get(`${directories[0]}/a`)?.mtime).toBe(77_500_000_000n);
    expect(fs.statSync(`${directories[0]}/a`).mtimeMs).toBe(1_700_000_000_000);
  });
  test('a link to itself is what it was', () => {
    expect(listing([file('a', 'x'), hardlink('a', 'a')])).toEqual(['a file 644 x']);
  });
  test('names that are no UTF-8', () => {
    const { directories } = apply([
      [directory('d\xff'), file('d\xff/\xe9'), file('gone\xff/\xfe'), file('gone\xff', 'now')],
    ]);
    const names = (path: Buffer) => fs.readdirSync(path, 'latin1');
    expect(names(Buffer.from(directories[0]!)).sort()).toEqual(['d\xff', 'gone\xff']);
    expect(names(Buffer.from(`${directories[0]}/d\xff`, 'latin1'))).toEqual(['\xe9']);
  });
  test('links as parents lead on inside the root', () => {
    expect(
      listing([
        directory('usr'),
        symlink('lib', 'usr/lib'),
        file('lib/x'),
        symlink('usr/up', '/../../lib'),
        file('usr/up/y'),
      ]),
    ).toEqual([
      'lib -> usr/lib',
      'usr dir 755',
      'usr/lib dir 755',
      'usr/lib/x file 644 content',
      'usr/lib/y file 644 content',
      'usr/up -> /../../lib',
    ]);
  });
  test('a link as parent that is replaced is not followed any more', () => {
    expect(
      listing([directory('one'), symlink('l', 'one'), file('l/a'), directory('l'), file('l/b')]),
    ).toEqual(['l dir 755', 'l/b file 644 content', 'one dir 755', 'one/a file 644 content']);
  });
  test('sparse files keep their size', () => {
    const pax = { 'GNU.sparse.map': '1000000,4', 'GNU.sparse.size': '3000000' };
    const { directories } = apply([[tarEntry({ name: 's' }, 'data', pax)]]);
    const stats = fs.statSync(`${directories[0]}/s`);
    expect(stats.size).toBe(3_000_000);
    expect(stats.blocks * 512).toBeLessThan(100_000);
    expect(fs.readFileSync(`${directories[0]}/s`).toString('latin1', 999_999, 1_000_005)).toBe('\0data\0');
  });
  test('devices are skipped and counted, links to them too; 0:0 is never made', () => {
    const device = (name: string, type: string, major: number) =>
      tarEntry({ name, type, major, minor: major });
    const parts = [
      file('null', 'was here'),
      device('null', '3', 1),
      device('sda', '4', 8),
      device('w', '3', 0),
    ];
    const layers = apply([
      [...parts, hardlink('null2', 'null'), tarEntry({ name: 'p', type: '6', mode: 0o622 })],
    ]);
    expect(layers.counts.skippedDevices).toBe(4);
    expect(listLayer(layers).slice(1)).toEqual(['p node 10600 0:0']);
    const host = new FakeUnpackHost();
    host.mayMakeDevices = true;
    const made = apply([parts], { host });
    expect(listLayer(made).slice(1)).toEqual(['null node 20600 1:1', 'sda node 60600 8:8']);
    expect(made.counts.skippedDevices).toBe(1);
  });
});

describe('attributes', () => {
  test('times to the nanosecond, of directories too, after their files', () => {
    const { directories, host } = apply([
      [
        directory('d', { mtime: 1000 }),
        tarEntry({ name: 'd/f' }, 'x', { mtime: '5.000000007', atime: '6' }),
        tarEntry({ name: 'e', type: '5', mode: 0o555 }, '', { mtime: '8.25' }),
        tarEntry({ name: 'd/l', type: '2', linkname: 'nowhere', mtime: 77 }),
        tarEntry({ name: 'old' }, '', { mtime: '-3' }),
      ],
    ]);
    const base = directories[0];
    expect(fs.statSync(`${base}/d`).mtimeMs).toBe(1_000_000);
    expect(fs.lstatSync(`${base}/d/l`).mtimeMs).toBe(77_000);
    expect(host.times.get(`${base}/d/f`)).toEqual({ atime: 6_000_000_000n, mtime: 5_000_000_007n });
    expect(host.times.get(`${base}/e`)).toEqual({ atime: 8_250_000_000n, mtime: 8_250_000_000n });
    expect(host.times.get(`${base}/old`)?.mtime).toBe(-3_000_000_000n);
  });
  test('extended attributes; those of overlays are not for archives to set', () => {
    const host = new FakeUnpackHost();
    host.refusedXattrs.add('security.selinux');
    const pax = {
      'SCHILY.xattr.user.a': '\x00\xff',
      'SCHILY.xattr.security.selinux': 'label',
      'SCHILY.xattr.user.overlay.opaque': 'y',
      'SCHILY.xattr.trusted.overlay.redirect': '/etc',
      'SCHILY.xattr.user.containers.override_stat': '0:0:04777',
    };
    const layers = apply([[tarEntry({ name: 'd', type: '5', mode: 0o700 }, '', pax)]], { host });
    expect(listLayer(layers).slice(1)).toEqual(['d dir 700 user.a=\x00\xff']);
    expect(layers.counts.skippedXattrs).toBe(4);
  });
  test('any other refusal of an attribute is an error', () => {
    const host = new FakeUnpackHost();
    host.setXattr = () => {
      throw Object.assign(new Error('no space'), { code: 'ENOSPC', syscall: 'lsetxattr' });
    };
    expect(() => apply([[tarEntry({ name: 'f' }, '', { 'SCHILY.xattr.user.a': 'b' })]], { host })).toThrow(
      'cannot unpack "f" of the layer: setting its attribute "user.a" of 1 bytes failed (ENOSPC)',
    );
  });
  test('single uid: owners are recorded beside the file, and counted', () => {
    const layers = apply([
      [
        file('root'),
        file('f', '', { uid: 33, gid: 8, mode: 0o2755 }),
        directory('d', { gid: 5 }),
        symlink('s', 'x', { uid: 1 }),
      ],
    ]);
    expect(listLayer(layers).slice(1)).toEqual([
      'd dir 755 user.containers.override_stat=0:5:0755',
      'f file 2755  user.containers.override_stat=33:8:02755',
      'root file 644 content',
      's -> x',
    ]);
    expect(layers.counts.squashedOwners).toBe(3);
  });
  test('an owner outside of the map is named with its file and the range', () => {
    const ranges = [
      { first: 0, count: 1 },
      { first: 1, count: 999 },
    ];
    const ownership = { kind: 'mapped', uids: ranges, gids: ranges } as const;
    const attempt = (uid: number | Buffer, gid: number) => () =>
      apply([[file('a/b', '', { uid, gid })]], { ownership });
    expect(attempt(65_534, 0)).toThrow(
      '"a/b" of the layer belongs to uid 65534, and this user\'s range in a container is 0, 1-999',
    );
    expect(attempt(0, 1000)).toThrow('belongs to gid 1000');
    expect(attempt(Buffer.from([0x80, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]), 0)).toThrow(
      'belongs to uid 4294967295',
    );
  });
});

describe('on top of other layers', () => {
  const below = [
    directory('etc', { mode: 0o750, mtime: 99 }),
    file('etc/a', 'A'),
    file('etc/b', 'B', { mode: 0o4755, mtime: 55 }),
    directory('etc/sub', { mode: 0o711 }),
    file('etc/sub/x'),
    directory('usr'),
    directory('usr/lib'),
    symlink('lib', 'usr/lib'),
    file('plain'),
  ];
  test('a missing parent takes the attributes it has below', () => {
    const layers = apply([
      [...below, tarEntry({ name: 'etc/sub', type: '5', mode: 0o711, uid: 12 })],
      [file('etc/sub/y')],
    ]);
    expect(listLayer(layers).slice(1)).toEqual([
      'etc dir 750',
      'etc/sub dir 711 user.containers.override_stat=12:0:0711',
      'etc/sub/y file 644 content',
    ]);
    expect(fs.statSync(`${layers.directories[0]}/etc`).mtimeMs).toBe(99_000);
  });
  test('the root takes the attributes it has below, unless an entry says otherwise', () => {
    expect(listLayer(apply([[directory('./', { mode: 0o711 })], [file('f')]]))[0]).toBe('. dir 711');
    expect(listLayer(apply([[directory('./', { mode: 0o711 })], [directory('/', { mode: 0o700 })]]))[0]).toBe(
      '. dir 700',
    );
  });
  test('a parent that is a link below leads to its target', () => {
    expect(listing(below, [file('lib/new')])).toEqual([
      'usr dir 755',
      'usr/lib dir 755',
      'usr/lib/new file 644 content',
    ]);
    expect(listing(below, [directory('lib'), file('lib/new')])).toEqual([
      'lib dir 755',
      'lib/new file 644 content',
    ]);
  });
  test('a parent that is a file below is an error', () => {
    expect(refusal(below, [file('plain/x')])).toContain(
      'its parent "plain" is not a directory in the layers below',
    );
    expect(listing(below, [directory('plain'), file('plain/x')])).toEqual([
      'plain dir 755',
      'plain/x file 644 content',
    ]);
  });
  test('a hard link to a file below brings it up, with its attributes', () => {
    const layers = apply([below, [hardlink('new', 'etc/b')]]);
    expect(listLayer(layers).slice(1)).toEqual(['etc dir 750', 'etc/b file 4755 B', 'new file 4755 B']);
    const stats = fs.statSync(`${layers.directories[0]}/new`);
    expect(stats).toMatchObject({ nlink: 2, mtimeMs: 55_000 });
    expect(listing(below, [hardlink('l2', 'lib')])).toEqual(['l2 -> usr/lib', 'lib -> usr/lib']);
    expect(refusal(below, [hardlink('new', 'etc/sub')])).toContain('hard link to a directory');
    expect(refusal(below, [tarEntry({ name: 'etc/.wh.b' }), hardlink('new', 'etc/b')])).toContain(
      'its link target "etc/b" is neither in this layer nor below',
    );
  });
  test('the view of three layers: a name hidden in the middle is not there', () => {
    expect(refusal(below, [file('etc/.wh.b', '')], [hardlink('new', 'etc/b')])).toContain(
      'neither in this layer nor below',
    );
    expect(listing(below, [file('etc/.wh..wh..opq', '')], [file('etc/sub/y')])).toEqual([
      'etc dir 750',
      'etc/sub dir 755',
      'etc/sub/y file 644 content',
    ]);
    expect(listing(below, [directory('lib')], [file('lib/y')])).toEqual([
      'lib dir 755',
      'lib/y file 644 content',
    ]);
    expect(listing(below, [file('etc/c', 'C')], [hardlink('b', 'etc/b'), hardlink('c', 'etc/c')])).toEqual([
      'b file 4755 B',
      'c file 644 C',
      'etc dir 750',
      'etc/b file 4755 B',
      'etc/c file 644 C',
    ]);
  });
});

describe('whiteouts', () => {
  const below = [
    directory('d'),
    file('d/a'),
    directory('d/sub'),
    file('d/sub/x'),
    file('top'),
    symlink('link', 'd'),
  ];
  const wh = (name: string) => file(name, '');
  test('a file, a directory, a link', () => {
    expect(listing(below, [wh('d/.wh.a'), wh('d/.wh.sub'), wh('.wh.link')])).toEqual([
      'd dir 755',
      'd/a whiteout',
      'd/sub whiteout',
      'link whiteout',
    ]);
  });
  test('hides only layers below, whichever comes first', () => {
    for (const parts of [
      [wh('d/.wh.a'), file('d/a', 'new')],
      [file('d/a', 'new'), wh('d/.wh.a')],
    ]) {
      expect(listing(below, parts)).toEqual(['d dir 755', 'd/a file 644 new']);
    }
    for (const parts of [
      [wh('d/.wh.sub'), file('d/sub/y')],
      [file('d/sub/y'), wh('d/.wh.sub')],
    ]) {
      expect(listing(below, parts)).toEqual([
        'd dir 755',
        'd/sub dir 755 user.overlay.opaque=y',
        'd/sub/y file 644 content',
      ]);
    }
  });
  test('the target of a hard link is hidden, though the link has brought it up', () => {
    expect(listing(below, [hardlink('new', 'd/a'), wh('d/.wh.a')])).toEqual([
      'd dir 755',
      'd/a whiteout',
      'new file 644 content',
    ]);
    expect(listing(below, [hardlink('new', 'd/a'), wh('d/.wh..wh..opq')])).toEqual([
      'd dir 755 user.overlay.opaque=y',
      'new file 644 content',
    ]);
    // What the layer itself puts there stays, whichever comes first.
    for (const parts of [
      [hardlink('new', 'd/a'), wh('d/.wh.a'), file('d/a', 'own')],
      [hardlink('new', 'd/a'), file('d/a', 'own'), wh('d/.wh.a')],
    ])
      expect(listing(below, parts)).toEqual(['d dir 755', 'd/a file 644 own', 'new file 644 content']);
  });
  test('a hidden link is no way in', () => {
    expect(listing(below, [wh('.wh.link'), file('link/x')])).toEqual([
      'link dir 755',
      'link/x file 644 content',
    ]);
  });
  test('nothing is made where nothing is below: an overlay would list it', () => {
    expect(listing([wh('.wh.x'), directory('d'), wh('d/.wh..wh..opq'), wh('d/.wh.y')])).toEqual([
      'd dir 755',
    ]);
    expect(
      listing(below, [wh('.wh.nothing'), directory('new'), wh('new/.wh..wh..opq'), wh('new/.wh.y')]),
    ).toEqual(['new dir 755']);
  });
  test('opaque directories, whichever order', () => {
    const expected = ['d dir 755 user.overlay.opaque=y', 'd/new file 644 content'];
    expect(listing(below, [wh('d/.wh..wh..opq'), file('d/new')])).toEqual(expected);
    expect(listing(below, [file('d/new'), wh('d/.wh..wh..opq')])).toEqual(expected);
    expect(listing(below, [wh('d/.wh.a'), file('d/new'), wh('d/.wh..wh..opq')])).toEqual(expected);
    expect(listing(below, [wh('d/.wh..wh..opq'), file('d/sub/y')])).toEqual([
      'd dir 755 user.overlay.opaque=y',
      'd/sub dir 755',
      'd/sub/y file 644 content',
    ]);
  });
  test('an opaque root hides by name', () => {
    expect(listing(below, [directory('d'), file('d/y'), wh('.wh..wh..opq')])).toEqual([
      'd dir 755 user.overlay.opaque=y',
      'd/y file 644 content',
      'link whiteout',
      'top whiteout',
    ]);
  });
  test('a directory that took the place of a file that took the place of a directory below begins empty', () => {
    expect(listing(below, [file('d'), directory('d')])).toEqual(['d dir 755 user.overlay.opaque=y']);
    expect(listing(below, [directory('d')])).toEqual(['d dir 755']);
  });
  test('a skipped device hides what is below in its place', () => {
    expect(listing(below, [tarEntry({ name: 'top', type: '3', major: 1, minor: 3 })])).toEqual([
      'top whiteout',
    ]);
  });
  test('the notes of AUFS are ignored', () => {
    expect(listing([directory('.wh..wh.plnk'), file('.wh..wh.plnk/123.45'), wh('.wh..wh.aufs')])).toEqual([]);
  });
  test('what AUFS kept for hard links is what their names get, as docker reads its old layers', () => {
    const plink = file('.wh..wh.plnk/123.45', 'shared');
    const names = [hardlink('a', '/.wh..wh.plnk/123.45'), hardlink('b', '.wh..wh.plnk/123.45')];
    expect(listing([directory('.wh..wh.plnk'), plink, ...names])).toEqual([
      'a file 644 shared',
      'b file 644 shared',
    ]);
    expect(() =>
      listing([plink, symlink('.wh..wh.plnk/link', '/etc'), hardlink('c', '.wh..wh.plnk/link')]),
    ).toThrow('its link target ".wh..wh.plnk/link" is neither in this layer nor below');
  });
  test('of what is in a link below, hides it at the target', () => {
    expect(listing(below, [wh('link/.wh.a')])).toEqual(['d dir 755', 'd/a whiteout']);
  });
});
