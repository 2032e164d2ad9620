/**
 * Layers made to break out, to wedge or to fill: each is unpacked by the real worker, and once more at once, without one; nothing beside the layer may change.
 *
 * `@` in names stands for the absolute path of a directory outside, `canary`, which lies beside the layer as well. After each archive
 * the canary's digest (content, owners, modes, times, link counts) is what it was. An archive is either refused, with a text that
 * names the entry and the reason, or makes exactly the tree that is written here.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { UnpackLimits } from '../../src/image/unpack/limits.ts';
import {
  base256,
  directory,
  extendedHeader,
  file,
  gnuLong,
  hardlink,
  paxHeader,
  paxRecord,
  symlink,
  tarArchive,
  tarEntry,
  tarHeader,
} from '../support/tar-builder.ts';
import { hashTree, listTree } from '../support/tree-listing.ts';
import { removeInside, scratchDirectory, unpackInside } from '../support/unpack-inside.ts';

interface Hostile {
  /** What it tries; CVE or advisory where it has one. */
  name: string;
  layer: readonly Buffer[];
  /** A layer below, applied before. */
  below?: readonly Buffer[];
  limits?: Partial<UnpackLimits>;
  /** The whole message, or what the message must hold. */
  refused?: string | RegExp;
  /** The lines of listTree; checked only when not refused. */
  tree?: readonly string[];
}

const scratch = scratchDirectory();
const canary = join(scratch, 'canary');
const outside = canary.slice(1);
/** The directories that lead to the canary's namesake inside. */
const insideParents = outside.split('/').map((_, i, parts) => `${parts.slice(0, i + 1).join('/')} dir 755`);
const entry = (name: string, reason: string): string => `cannot unpack "${name}" of the layer: ${reason}`;
const device = (name: string, type: '3' | '4', major: number, minor: number): Buffer =>
  tarEntry({ name, type, major, minor });
const long = (name: string): Buffer => tarEntry({}, 'x', { path: name });

const ESCAPES: Hostile[] = [
  {
    name: 'dot-dot',
    layer: [file('../canary/f')],
    refused: entry('../canary/f', 'its name leads out of it by ".."'),
  },
  { name: 'dot-dot inside', layer: [file('a/../../canary/f')], refused: 'leads out of it' },
  { name: 'dot-dot after the root', layer: [file('/../canary/f')], refused: 'leads out of it' },
  {
    name: 'dot-dot as a directory',
    layer: [directory('..', { mode: 0o777 })],
    refused: 'leads out of it',
  },
  { name: 'dot-dot by pax', layer: [long('../canary/f')], refused: 'leads out of it' },
  {
    name: 'dot-dot by a GNU long name',
    layer: [gnuLong('L', '../canary/f'), file('x')],
    refused: 'leads out of it',
  },
  {
    name: 'dot-dot by a ustar prefix',
    layer: [tarEntry({ name: 'canary/f', prefix: '..' })],
    refused: 'leads out',
  },
  {
    name: 'dot-dot by a sparse name',
    layer: [tarEntry({}, 'x', { 'GNU.sparse.name': '../f' })],
    refused: 'leads out',
  },
  {
    name: 'dot-dot by a global header, which names nothing',
    layer: [paxHeader({ path: '../canary/f' }, 'g'), file('x', 'y')],
    tree: ['x file 644 =y'],
  },
  { name: 'an absolute name', layer: [long('@/f')], tree: [...insideParents, `${outside}/f file 644 =x`] },
  {
    name: 'the root as a link (umoci, CVE-2021-29136)',
    layer: [symlink('.', '@'), file('f')],
    refused: entry('.', 'it would replace the root directory'),
  },
  {
    name: 'the root as a link, spelled otherwise',
    layer: [symlink('a/..', '@')],
    refused: 'replace the root directory',
  },
  { name: 'the root as a hard link', layer: [hardlink('./', 'x')], refused: 'replace the root directory' },
  {
    name: 'the root as a file without a name',
    layer: [tarEntry({ name: '' })],
    refused: 'replace the root directory',
  },
  {
    name: 'through an absolute link',
    layer: [symlink('l', '@'), file('l/f', 'x')],
    tree: ['l link -> @', ...insideParents, `${outside}/f file 644 =x`],
  },
  {
    name: 'through a relative link',
    layer: [symlink('l', '../canary'), file('l/f', 'x')],
    tree: ['canary dir 755', 'canary/f file 644 =x', 'l link -> ../canary'],
  },
  {
    name: 'through links to links',
    layer: [symlink('a', 'b/../..'), symlink('b', '../../canary'), file('a/canary/f', 'x'), file('b/g', 'y')],
    tree: [
      'a link -> b/../..',
      'b link -> ../../canary',
      'canary dir 755',
      'canary/f file 644 =x',
      'canary/g file 644 =y',
    ],
  },
  {
    name: 'up from a directory by a link',
    layer: [directory('d'), symlink('d/l', '../../../../..'), file('d/l/canary/f', 'x')],
    tree: ['canary dir 755', 'canary/f file 644 =x', 'd dir 755', 'd/l link -> ../../../../..'],
  },
  {
    name: 'through /proc',
    layer: [symlink('l', '/proc/self/cwd'), file('l/f', 'x'), file('proc/1/root/g', 'y')],
    tree: [
      'l link -> /proc/self/cwd',
      'proc dir 755',
      'proc/1 dir 755',
      'proc/1/root dir 755',
      'proc/1/root/g file 644 =y',
      'proc/self dir 755',
      'proc/self/cwd dir 755',
      'proc/self/cwd/f file 644 =x',
    ],
  },
  {
    name: 'through a link of a layer below',
    below: [symlink('l', '@'), symlink('m', '../canary')],
    layer: [file('l/f', 'x'), file('m/g', 'y')],
    tree: ['canary dir 755', 'canary/g file 644 =y', ...insideParents, `${outside}/f file 644 =x`],
  },
  {
    name: 'dot-dot after a link is of the name, not of its target',
    layer: [symlink('l', '@'), file('l/../x', 'y')],
    tree: ['l link -> @', 'x file 644 =y'],
  },
];

const LINKS: Hostile[] = [
  {
    name: 'a hard link to a host file',
    layer: [long('a'), hardlink('h', '@/file')],
    refused: /^cannot unpack "h" .* its link target ".*canary\/file" is neither in this layer nor below$/,
  },
  {
    name: 'a hard link by dot-dot',
    layer: [hardlink('h', '../canary/file')],
    refused: entry('h', 'its link target is refused: its name leads out of it by ".."'),
  },
  {
    name: 'a hard link through a link',
    layer: [symlink('l', '@'), hardlink('h', 'l/file')],
    refused: 'neither in this layer nor below',
  },
  {
    name: 'a hard link through a link below',
    below: [symlink('l', '../canary')],
    layer: [hardlink('h', 'l/file')],
    refused: 'neither in this layer nor below',
  },
  {
    name: 'a hard link through /proc',
    layer: [hardlink('h', '/proc/self/root/etc/passwd')],
    refused: 'neither in this layer nor below',
  },
  {
    name: 'a hard link to a directory',
    layer: [directory('d'), hardlink('h', 'd')],
    refused: entry('h', 'it is a hard link to a directory'),
  },
  { name: 'a hard link to the root', layer: [hardlink('h', '/')], refused: 'hard link to the root' },
  {
    name: 'a hard link to a link, then written to',
    layer: [symlink('s', '@/file'), hardlink('h', 's'), file('h', 'x')],
    tree: ['h file 644 =x', 's link -> @/file'],
  },
  {
    name: 'a hard link that would remove its own target',
    layer: [directory('a'), file('a/b'), hardlink('a', 'a/b')],
    refused: /^cannot unpack "a" of the layer: link failed \(ENOENT\)$/,
  },
  {
    name: 'a link, then written to',
    layer: [symlink('s', '@/file'), file('s', 'x')],
    tree: ['s file 644 =x'],
  },
  {
    name: 'a link, then a directory of its name (containerd, CVE-2021-32760)',
    layer: [symlink('s', '@'), directory('s', { mode: 0o777 }), file('s/f', 'x')],
    tree: ['s dir 777', 's/f file 644 =x'],
  },
  {
    name: 'a link below, then a directory of its name',
    below: [symlink('s', '@')],
    layer: [directory('s', { mode: 0o777 })],
    tree: ['s dir 777'],
  },
  {
    name: "a link's own mode, owner, times and attributes are not its target's",
    layer: [
      tarEntry({ name: 's', type: '2', linkname: '@/file', mode: 0o4777 }, '', {
        mtime: '5.5',
        'SCHILY.xattr.user.x': 'y',
      }),
    ],
    tree: ['s link -> @/file'],
  },
  {
    name: 'a hard link to a link, with a mode',
    layer: [symlink('s', '@/file'), hardlink('s', 's', { mode: 0o777 })],
    tree: ['s link -> @/file'],
  },
  {
    name: 'removal of a directory that holds a link',
    layer: [
      directory('d'),
      symlink('d/l', '@'),
      directory('d/e'),
      symlink('d/e/l', '../../canary'),
      file('d', 'x'),
    ],
    tree: ['d file 644 =x'],
  },
  {
    name: 'a link that is replaced between two uses',
    layer: [symlink('l', 'one'), file('l/a', 'x'), symlink('l', '@'), file('l/b', 'y')],
    tree: ['l link -> @', 'one dir 755', 'one/a file 644 =x', ...insideParents, `${outside}/b file 644 =y`],
  },
  {
    name: 'a loop of links',
    layer: [symlink('a', 'b'), symlink('b', 'a'), file('a/f')],
    refused: entry('a/f', 'it lies behind too many levels of symbolic links'),
  },
  { name: 'a link that grows', layer: [symlink('l', 'l/l'), file('l/f')], refused: 'too many levels' },
  { name: 'a link to nothing', layer: [symlink('l', '')], refused: 'symbolic link to nothing' },
  {
    name: 'a link target over PATH_MAX',
    layer: [tarEntry({ name: 'l', type: '2' }, '', { linkpath: 'x/'.repeat(3000) })],
    refused: 'symlink failed (ENAMETOOLONG)',
  },
];

const WHITEOUTS: Hostile[] = [
  { name: 'of nothing', layer: [file('.wh.')], refused: entry('.wh.', 'it is a whiteout of nothing') },
  { name: 'of the directory', layer: [file('d/.wh..')], refused: 'whiteout of "."' },
  { name: 'of the parent', layer: [file('.wh...')], refused: entry('.wh...', 'it is a whiteout of ".."') },
  { name: 'of the parent, deeper', layer: [file('d/.wh...')], refused: 'whiteout of ".."' },
  { name: 'as a directory of others', layer: [file('.wh.x/../../canary/file')], refused: 'leads out' },
  { name: 'as a parent', layer: [file('a/.wh.b/c')], refused: 'holds a directory that starts with ".wh."' },
  { name: 'through a link', below: [symlink('l', '@')], layer: [file('l/.wh.file')], tree: insideParents },
  {
    name: 'opaque through a link',
    layer: [symlink('l', '@'), file('l/.wh..wh..opq')],
    tree: ['l link -> @', ...insideParents],
  },
  {
    name: 'disguised as a device',
    below: [file('x')],
    layer: [directory('d'), device('d/y', '3', 0, 0), device('z', '3', 0, 0)],
    tree: ['d dir 755'],
  },
  {
    name: 'disguised as an attribute',
    below: [directory('d'), file('d/x')],
    layer: [
      tarEntry({ name: 'd', type: '5', mode: 0o755 }, '', {
        'SCHILY.xattr.user.overlay.opaque': 'y',
        'SCHILY.xattr.user.overlay.redirect': '/etc',
      }),
    ],
    tree: ['d dir 755'],
  },
  { name: 'as a link', below: [file('x')], layer: [symlink('.wh.x', '@')], tree: ['x char 600 0:0'] },
  {
    name: 'of the target of a hard link',
    below: [file('t', 'x')],
    layer: [hardlink('h', 't'), file('.wh.t')],
    tree: ['h file 644 =x', 't char 600 0:0'],
  },
  {
    name: 'opaque after files',
    below: [directory('d'), file('d/old')],
    layer: [file('d/new', 'x'), file('d/.wh..wh..opq')],
    tree: ['d dir 755', 'd/new file 644 =x'], // that d is opaque: test/unit/unpack/apply-layer.test.ts
  },
];

const SHAPES: Hostile[] = [
  {
    name: 'one name several times',
    layer: [file('f', 'one'), file('f', 'two', { mode: 0o600 }), directory('f'), file('f', 'three')],
    tree: ['f file 644 =three'],
  },
  {
    name: 'a directory that becomes a link, and a directory again',
    layer: [
      directory('d'),
      file('d/a', 'x'),
      symlink('d', '@'),
      file('d/b', 'y'),
      directory('d'),
      file('d/c', 'z'),
    ],
    tree: ['d dir 755', 'd/c file 644 =z', ...insideParents, `${outside}/b file 644 =y`],
  },
  {
    name: 'a negative owner',
    layer: [tarEntry({ name: 'f', uid: base256(-1n, 8) })],
    refused: /"f"|owner|uid/,
  },
  {
    name: 'a device',
    layer: [device('null', '3', 1, 3), device('sda', '4', 8, 0), hardlink('null2', 'null')],
    tree: [],
  },
  {
    name: 'a pipe is never opened',
    layer: [tarEntry({ name: 'p', type: '6' }), file('p', 'x')],
    tree: ['p file 644 =x'],
  },
  {
    name: 'a file as a parent',
    layer: [file('f'), file('f/x')],
    refused: entry('f/x', 'its parent "f" is not a directory'),
  },
  {
    name: 'a pipe as a parent',
    layer: [tarEntry({ name: 'p', type: '6' }), file('p/x')],
    refused: 'its parent "p" is not a directory',
  },
  {
    name: 'a NUL in a name',
    layer: [long('a\0b')],
    refused: /the layer's archive is damaged.*NUL in its path/,
  },
  {
    name: 'a NUL in a sparse name',
    layer: [tarEntry({}, 'x', { 'GNU.sparse.name': 'a\0b' })],
    refused: 'holds a NUL byte',
  },
  {
    name: 'a name over PATH_MAX',
    layer: [long('d/'.repeat(2048))],
    refused: 'its name has 4096 bytes, and 4095 are allowed',
  },
  {
    name: 'a component over NAME_MAX',
    layer: [long('n'.repeat(256))],
    refused: 'component of its name is longer than 255',
  },
  {
    name: 'too deep',
    layer: [long('d/'.repeat(600))],
    refused: 'it is 600 directories deep, and 512 are allowed',
  },
  {
    name: 'too deep by links',
    layer: [
      tarEntry({ name: 'l', type: '2' }, '', { linkpath: `/${'n'.repeat(250)}`.repeat(15) }),
      tarEntry({}, 'x', { path: `l/${'m'.repeat(250)}/${'m'.repeat(250)}` }),
    ],
    refused: 'ENAMETOOLONG',
  },
  {
    name: 'escape sequences in a name',
    layer: [file('\x1b[2J\x07/../../x\x9b')],
    refused: /^\P{Cc}*"\\x1b\[2J\\x07\/\.\.\/\.\.\/x\P{Cc}*$/u,
  },
  { name: 'an unknown type', layer: [tarHeader({ type: 'M' })], refused: 'it has the unknown type "M"' },
  { name: 'a negative size', layer: [tarHeader({ size: base256(-512n, 12) })], refused: 'negative size' },
  {
    name: 'a size that is not there',
    layer: [tarHeader({ size: base256(1n << 52n, 12) })],
    refused: 'it ends in the middle',
  },
  {
    name: 'a hole larger than any file system',
    layer: [tarEntry({}, 'x', { 'GNU.sparse.map': '0,1', 'GNU.sparse.size': '9007199254740991' })],
    refused: 'ftruncate failed (EFBIG)',
  },
  {
    name: 'a sparse map over itself',
    layer: [tarEntry({}, 'abcd', { 'GNU.sparse.map': '2,2,0,2', 'GNU.sparse.size': '9' })],
    refused: 'sparse map is out of order',
  },
  {
    name: 'a huge extended header',
    layer: [extendedHeader(paxRecord('comment', 'x'.repeat(1 << 21))), file('f')],
    refused: 'too long',
  },
  { name: 'a huge long name', layer: [gnuLong('L', 'x'.repeat(1 << 21)), file('f')], refused: 'too long' },
  {
    name: 'the owner that chown leaves alone',
    layer: [file('f', 'x', { uid: base256(0xffffffffn, 8) })],
    refused: '"f" of the layer belongs to uid 4294967295',
  },
  {
    name: 'an owner that this user has not',
    layer: [file('f', 'x', { gid: 2_000_000 })],
    refused: /"f" of the layer belongs to gid 2000000, and this user's range in a container is 0, 1-\d+/,
  },
  {
    name: 'more entries than are allowed',
    layer: [file('a'), file('b'), file('c')],
    limits: { maxEntries: 2 },
    refused: 'more than 2 entries',
  },
  {
    name: 'more bytes than are allowed',
    layer: [file('a', 'x'.repeat(5000))],
    limits: { maxBytes: 4096 },
    refused: 'more than 4096 bytes',
  },
];

let before: string;
let count = 0;

beforeAll(() => {
  fs.mkdirSync(join(canary, 'd'), { recursive: true });
  fs.writeFileSync(join(canary, 'file'), 'untouched', { mode: 0o640 });
  fs.symlinkSync('file', join(canary, 'link'));
  before = hashTree(canary);
});
afterAll(() => removeInside(scratch));

/** Names hold the canary's path from the start: it is longer than what a header holds, so pax carries it. */
const located = (parts: readonly Buffer[]): Buffer => tarArchive(...parts.map(relocate));

/** Replaces `@` by the canary's path; in a header's fixed fields and in pax records, whose lengths change with it. */
function relocate(part: Buffer): Buffer {
  if (!part.includes('@') || part.includes('@LongLink')) return part;
  const header = part.subarray(part.length >= 1536 && part.toString('latin1', 156, 157) === 'x' ? 1024 : 0);
  const text = (at: number) => header.toString('latin1', at, header.indexOf(0, at));
  const pax = header === part ? {} : recordsOf(part);
  const path = (pax.path ?? text(0)).replace('@', canary);
  const linkpath = (pax.linkpath ?? text(157)).replace('@', canary);
  return Buffer.concat([paxHeader({ ...pax, path, ...(linkpath ? { linkpath } : {}) }), header]);
}

function recordsOf(part: Buffer): Record<string, string> {
  const size = Number.parseInt(part.toString('latin1', 124, 135), 8);
  const lines = part
    .toString('latin1', 512, 512 + size)
    .split('\n')
    .filter(Boolean);
  return Object.fromEntries(
    lines.map((line) => line.slice(line.indexOf(' ') + 1).split('=') as [string, string]),
  );
}

async function unpack(layers: readonly Buffer[], limits: Partial<UnpackLimits> = {}, atOnce = false) {
  const parent = join(scratch, String(count++));
  fs.mkdirSync(parent);
  fs.symlinkSync('../canary', join(parent, 'canary'));
  try {
    return await unpackInside(parent, layers, { limits, atOnce });
  } finally {
    expect(hashTree(canary), 'nothing outside of the layer has changed').toBe(before);
    expect(fs.readdirSync(parent).filter((name) => !/^(?:canary|layer\d)$/.test(name))).toEqual([]);
  }
}

const messageOf = async (promise: Promise<unknown>): Promise<string> => {
  const error = await promise.then(() => undefined).catch((e: Error) => e);
  expect(error, 'it was accepted').toBeDefined();
  expect(error).toMatchObject({ code: expect.stringMatching(/^ERR_TSRUN_LAYER_/) });
  return error!.message;
};

const CORPUS: readonly [string, Hostile[]][] = [
  ['escapes', ESCAPES],
  ['links', LINKS],
  ['whiteouts', WHITEOUTS],
  ['shapes', SHAPES],
];
/** With a layer below there is always a worker. */
const LOWEST = CORPUS.map(
  ([name, cases]) => [name, cases.filter(({ below }) => below === undefined)] as const,
);

describe.each([
  ...CORPUS.map(([name, cases]) => [name, 'by the worker', cases] as const),
  ...LOWEST.map(([name, cases]) => [name, 'at once', cases] as const),
])('%s, %s', (_, how, cases) => {
  test.each(cases)('$name', async ({ layer, below, limits, refused, tree }) => {
    const unpacking = unpack([...(below ? [located(below)] : []), located(layer)], limits, how === 'at once');
    if (refused !== undefined) {
      const message = await messageOf(unpacking);
      if (typeof refused === 'string') expect(message).toContain(refused);
      else expect(message).toMatch(refused);
      return;
    }
    const { directories } = await unpacking;
    const expected = (tree ?? []).map((line) => line.replace('@', canary)).sort();
    expect(listTree(directories[0]!).sort()).toEqual(expected);
  });
});

describe('compressed', () => {
  const header = tarHeader({ name: 'zeros', size: base256(10_000_000_000n, 12) });
  const zeros = Buffer.alloc(10_000_000);

  test('10 GB of zeros in 10 MB of gzip (AC-7.12)', async () => {
    const bomb = Buffer.concat([gzipSync(header), ...Array<Buffer>(1000).fill(gzipSync(zeros))]);
    expect(bomb.length).toBeLessThan(11_000_000);
    const message = await messageOf(unpack([bomb]));
    expect(message).toBe(
      'the layer was refused: it has more than 200 bytes per compressed byte, and may be made to fill the disk',
    );
    const written = fs.statSync(join(scratch, String(count - 1), 'layer0', 'zeros')).size;
    expect(written).toBeLessThan(140_000_000);
  });
  test('10 GB of zeros in zstd', async () => {
    const bomb = Buffer.concat([
      zstdCompressSync(header),
      ...Array<Buffer>(1000).fill(zstdCompressSync(zeros)),
    ]);
    expect(await messageOf(unpack([bomb]))).toContain('more than 200 bytes per compressed byte');
  });
  const archive = tarArchive(file('f', 'x'.repeat(100_000)));
  test.each<[string, Buffer, RegExp]>([
    ['gzip, cut', gzipSync(archive).subarray(0, -20), /gzip data is damaged: unexpected end of file/],
    ['gzip, cut in its header', gzipSync(archive).subarray(0, 5), /gzip data is damaged/],
    ['gzip, wrong check sum', flip(gzipSync(archive), -6), /gzip data is damaged: incorrect data check/],
    [
      'gzip by its first bytes only',
      Buffer.concat([Buffer.from([0x1f, 0x8b]), archive]),
      /gzip data is damaged/,
    ],
    ['zstd, cut', zstdCompressSync(archive).subarray(0, -4), /zstd data is damaged/],
    [
      'zstd by its first bytes only',
      Buffer.concat([zstdCompressSync(archive).subarray(0, 4), archive]),
      /zstd data is damaged/,
    ],
    [
      'an archive that is none',
      Buffer.from('hello '.repeat(200)),
      /archive is damaged at byte 512: the checksum/,
    ],
    ['gzip in gzip', gzipSync(gzipSync(Buffer.from(archive))), /damaged/],
  ])('%s', async (_, bytes, refused) => {
    expect(await messageOf(unpack([bytes]))).toMatch(refused);
  });
});

function flip(bytes: Buffer, at: number): Buffer {
  bytes[bytes.length + at] = (bytes[bytes.length + at] ?? 0) ^ 1;
  return bytes;
}
