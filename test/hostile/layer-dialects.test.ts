/**
 * Layers that use the corners of the archive format itself: extended headers, long names, sparse maps, numbers and check sums that lie, and
 * what compression lets stand before, between and behind. Each was given to podman (Go's archive/tar) and umoci as well: what both refuse is
 * refused, with the entry and the reason, what they accept makes the same tree; where tsrun differs, the line says why.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readTar } from '../support/read-tar.ts';
import {
  base256,
  directory,
  END_OF_ARCHIVE,
  extendedHeader,
  file,
  gnuLong,
  hardlink,
  padded,
  paxHeader,
  paxRecord,
  symlink,
  tarArchive,
  tarEntry,
  tarHeader,
} from '../support/tar-builder.ts';
import { hashTree, listTree } from '../support/tree-listing.ts';
import { removeInside, scratchDirectory, unpackInside } from '../support/unpack-inside.ts';

const scratch = scratchDirectory();
const canary = join(scratch, 'canary');
let before: string;
let count = 0;

beforeAll(() => {
  fs.mkdirSync(canary);
  fs.writeFileSync(join(canary, 'file'), 'untouched', { mode: 0o640 });
  before = hashTree(canary);
});
afterAll(() => removeInside(scratch));

/** The lines of the tree, or what the refusal says. */
async function outcome(...layers: readonly Buffer[]): Promise<string[] | string> {
  const parent = join(scratch, String(count++));
  fs.mkdirSync(parent);
  try {
    const { directories } = await unpackInside(parent, layers);
    return listTree(directories.at(-1) ?? expect.fail()).sort();
  } catch (error) {
    expect(error).toMatchObject({ code: expect.stringMatching(/^ERR_TSRUN_LAYER_/) });
    return (error as Error).message;
  } finally {
    expect(hashTree(canary), 'nothing outside of the layer has changed').toBe(before);
  }
}

const xattr = (name: string, value: string | Buffer = 'x'): Buffer =>
  tarEntry({ name: 'f' }, 'x', { [`SCHILY.xattr.${name}`]: value });
const raw = (body: string): Buffer => Buffer.concat([extendedHeader(Buffer.from(body, 'latin1')), file('f')]);
const oldSparse = (offset: Buffer, real: number, more = 0): Buffer =>
  tarHeader({
    name: 's',
    type: 'S',
    magic: 'gnu',
    size: 4,
    patch: (block) => {
      offset.copy(block, 386);
      block.write('00000000004\0', 398, 'latin1');
      block[482] = more;
      block.write(`${real.toString(8).padStart(11, '0')}\0`, 483, 'latin1');
    },
  });
const sparse1 = (map: string): Buffer => {
  const pax = { 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.realsize': '10' };
  return tarEntry({ name: 's' }, Buffer.concat([padded(Buffer.from(map)), Buffer.from('abcd')]), pax);
};
const signedSum = (block: Buffer): number =>
  block.reduce((sum, byte, i) => sum + (i >= 148 && i < 156 ? 32 : byte > 127 ? byte - 256 : byte), 0);
const octalSum = (block: Buffer): Buffer => {
  block.write(`${signedSum(block).toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
};
const MAGIC_OF_SKIPPABLE = Buffer.from([0x50, 0x2a, 0x4d, 0x18]);
const skippable = (size: number, content: Buffer): Buffer => {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(size);
  return Buffer.concat([MAGIC_OF_SKIPPABLE, length, content]);
};

describe('refused', () => {
  // all of these before anything is made
  test.each<[string, Buffer[], string]>([
    ['a key that ends early', [xattr('user.a\0b')], 'its extended header has a NUL in a key'],
    [
      'a NUL that hides a reserved attribute',
      [xattr('user.containers.override_stat\0', '0:0:04755')],
      'has a NUL in a key',
    ],
    [
      'a link target with a NUL',
      [tarEntry({ name: 'l', type: '2' }, '', { linkpath: 'a\0b' })],
      'NUL in its linkpath',
    ],
    ['a record that is nothing', [raw('0 a=b\n')], 'a record of the wrong length'],
    ['a record with a signed length', [raw('+9 path=g\n')], 'a record without a length'],
    ['a record without its line break', [raw('9 path=gh')], 'a record of the wrong length'],
    ['a length without an end', [raw('9'.repeat(40))], 'a record without a length'],
    ['a record without a key', [raw('10 =value\n')], 'a record without a key'],
    ['a size in hexadecimal', [tarEntry({ name: 'f' }, 'x', { size: '0x1' })], 'no valid size'],
    ['a size below nothing', [tarEntry({ name: 'f' }, 'x', { size: '-1' })], 'no valid size'],
    ['a time that is none', [tarEntry({ name: 'f' }, 'x', { mtime: 'NaN' })], 'no valid mtime'],
    [
      'an owner below nobody (podman: leaves it to chance)',
      [tarEntry({ name: 'f' }, 'x', { uid: '-1' })],
      'no valid uid',
    ],
    [
      'a long name below nothing',
      [tarHeader({ name: 'L', type: 'L', size: base256(-1n, 12) }), file('f')],
      'negative size',
    ],
    [
      'a volume label',
      [tarEntry({ name: 'v', type: 'V' }), file('f')],
      'entry "v": it has the unknown type "V"',
    ],
    [
      'a directory listing',
      [tarEntry({ name: 'd', type: 'D' }, 'Yf\0')],
      'entry "d": it has the unknown type "D"',
    ],
    [
      "Solaris's extended header",
      [tarEntry({ name: 'X', type: 'X' }, paxRecord('path', 'a'))],
      'unknown type "X"',
    ],
    [
      'a sparse map that begins below nothing',
      [oldSparse(base256(-5n, 12), 2000), padded(Buffer.from('abcd'))],
      'its sparse map is out of order',
    ],
    [
      'a sparse map beyond 63 bits',
      [oldSparse(base256((1n << 63n) - 1n, 12), 2000), padded(Buffer.from('abcd'))],
      'its sparse map is not valid',
    ],
    ['a count of ranges that is none', [sparse1('x\n0\n4\n')], 'its sparse map is not valid'],
    ['a count of ranges beyond all files', [sparse1('99999999999\n0\n4\n')], 'its sparse map is not valid'],
    ['a line of a map without an end', [sparse1('1'.repeat(512))], 'its sparse map is not valid'],
    [
      'a map of three numbers',
      [tarEntry({ name: 's' }, 'abcd', { 'GNU.sparse.map': '0,4,7' })],
      'its sparse map is not valid',
    ],
    [
      'ranges before their offsets',
      [tarEntry({ name: 's' }, 'abcd', [['GNU.sparse.numbytes', '4']])],
      'sparse records out of order',
    ],
    [
      'a sparse format of the future (podman: takes the map for content)',
      [tarEntry({ name: 's' }, 'x', { 'GNU.sparse.major': '2' })],
      'unknown sparse format 2',
    ],
    [
      'a size beyond 2^53',
      [tarHeader({ name: 'f', size: base256(1n << 80n, 12) })],
      'no valid number at byte 124',
    ],
    [
      'a size with a tail',
      [tarHeader({ name: 'f', size: Buffer.from('0000000001x\0') })],
      'no valid number at byte 124',
    ],
    [
      'a check sum of nothing',
      [tarHeader({ name: 'f', patch: (block) => block.write('x', 0) }).fill(0, 148, 156)],
      'checksum of its header is wrong',
    ],
    [
      'a directory whose content are headers',
      [tarHeader({ name: 'd', type: '5', size: 512 }), Buffer.alloc(512, 'x')],
      'checksum of its header is wrong',
    ],
    [
      'one block of zeros in between',
      [file('a'), Buffer.alloc(512), file('b')],
      'a single block of zeros is followed by more',
    ],
  ])('while it is read: %s', (_, parts, problem) => {
    expect(() => readTar(tarArchive(...parts))).toThrow(problem);
  });

  test.each<[string, Buffer[], string]>([
    [
      'an owner beyond 32 bits',
      [tarEntry({ name: 'f' }, 'x', { uid: '4294967296' })],
      '"f" of the layer belongs to uid 4294967296',
    ],
    [
      'an attribute over 64 KiB',
      [xattr('user.a', 'x'.repeat(65_537))],
      '"f" of the layer: setting its attribute "user.a" of 65537 bytes failed (E2BIG)',
    ],
    [
      'an attribute with a name over 255 bytes',
      [xattr(`user.${'a'.repeat(300)}`)],
      'of 1 bytes failed (ERANGE)',
    ],
    [
      'capabilities that are none',
      [xattr('security.capability', 'junk')],
      'setting its attribute "security.capability" of 4 bytes failed (EINVAL)',
    ],
    [
      'a hard link to what comes later',
      [hardlink('a', 'b'), file('b')],
      '"a" of the layer: its link target "b" is neither in this layer nor below',
    ],
    [
      'a hard link to a whiteout',
      [file('.wh.x'), hardlink('a', '.wh.x')],
      'its link target ".wh.x" is neither',
    ],
    [
      'a hard link into what it replaces',
      [directory('d'), file('d/x'), hardlink('d', 'd/x')],
      '"d" of the layer: link failed',
    ],
    [
      "AUFS's hidden directory as a way out",
      [symlink('.wh..wh.plnk/l', '/'), file('.wh..wh.plnk/l/f'), hardlink('a', '.wh..wh.plnk/l/f')],
      'its link target ".wh..wh.plnk/l/f" is neither',
    ],
  ])('%s', async (_, parts, problem) => {
    expect(await outcome(tarArchive(...parts))).toContain(problem);
  });

  test.each<[string, Buffer, string]>([
    [
      'gzip, with words behind',
      Buffer.concat([gzipSync(tarArchive(file('f'))), Buffer.from('garbage')]),
      'gzip data is damaged',
    ],
    [
      'gzip, with the head of one more',
      Buffer.concat([gzipSync(tarArchive(file('f'))), Buffer.from('1f8b08', 'hex')]),
      'gzip data is damaged',
    ],
    [
      'zstd, with words behind',
      Buffer.concat([zstdCompressSync(tarArchive(file('f'))), Buffer.from('garbage')]),
      'this is no zstd frame',
    ],
    [
      'zstd, skipping more than there is',
      Buffer.concat([skippable(0xffffffff, Buffer.alloc(0)), zstdCompressSync(tarArchive(file('f')))]),
      'zstd data is damaged',
    ],
    [
      'zstd, with a dictionary that nobody has',
      Buffer.from('28b52ffd23ffffffff000100 00'.replace(' ', ''), 'hex'),
      'zstd data is damaged',
    ],
    [
      'a long name and nothing else (podman: ignores it)',
      Buffer.concat([gnuLong('L', 'a')]),
      'it ends in the middle',
    ],
    [
      'a sparse map that ends with the archive',
      oldSparse(Buffer.from('00000000000\0'), 2000, 1),
      'entry "s": it ends in the middle',
    ],
    [
      'no more than half a block behind',
      Buffer.concat([file('a'), Buffer.alloc(100)]),
      'it ends in the middle',
    ],
  ])('%s', async (_, archive, problem) => {
    expect(await outcome(archive)).toContain(problem);
  });
});

describe('accepted, as by others', () => {
  const F = 'f file 644 =content';
  test.each<[string, Buffer[], string[]]>([
    [
      'a global header that would own all',
      [paxHeader({ uid: '7', mtime: '5', 'SCHILY.xattr.user.g': '1' }, 'g'), file('f')],
      [F],
    ],
    [
      'a header before a global one, which it was about',
      [paxHeader({ path: 'x' }), paxHeader({ comment: 'y' }, 'g'), file('f')],
      [F],
    ],
    [
      'an attribute of fuse-overlayfs, which is left out',
      [
        tarEntry({ name: 'd', type: '5', mode: 0o755 }, '', {
          'SCHILY.xattr.user.fuseoverlayfs.opaque': 'y',
        }),
      ],
      ['d dir 755'],
    ],
    ['an empty extended header', [extendedHeader(Buffer.alloc(0)), file('f')], [F]],
    [
      '60 000 records',
      [
        extendedHeader(Buffer.concat(Array.from({ length: 60_000 }, (_, i) => paxRecord(`k${i}`, 'v')))),
        file('f'),
      ],
      [F],
    ],
    ['an empty path', [tarEntry({ name: 'f' }, 'content', { path: '' })], [F]],
    ['an empty long name', [gnuLong('L', ''), file('f')], [F]],
    ['a long name with a NUL, which ends it', [gnuLong('L', 'a\0b/c'), file('f')], ['a file 644 =content']],
    [
      'a name in no character set',
      [tarEntry({}, 'content', { hdrcharset: 'BINARY', path: '\xff' })],
      ['\xff file 644 =content'],
    ],
    ['a time that no disk can keep', [tarEntry({ name: 'f' }, 'content', { mtime: '9'.repeat(18) })], [F]],
    [
      'a hard link that is larger than nothing',
      [file('f'), hardlink('g', 'f', { size: 7 }), symlink('l', 'f', { size: 512 })],
      ['f file 644 =content', 'g file 644 =content', 'l link -> f'],
    ],
    ['a check sum of signed bytes', [octalSum(tarHeader({ name: '\xff\xfe' }))], ['\xff\xfe file 644 =']],
    [
      'what AUFS kept for hard links',
      [file('.wh..wh.plnk/1.2', 'x'), hardlink('a', '.wh..wh.plnk/1.2')],
      ['a file 644 =x'],
    ],
    ['a second archive behind the end', [file('f'), END_OF_ARCHIVE, file('g')], [F]],
  ])('%s', async (_, parts, tree) => {
    expect(await outcome(tarArchive(...parts))).toEqual(tree);
  });

  const archive = tarArchive(file('f'));
  test.each<[string, Buffer]>([
    [
      'gzip of a thousand members, most of them empty',
      Buffer.concat([...Array<Buffer>(1000).fill(gzipSync('')), gzipSync(archive), gzipSync('')]),
    ],
    ['gzip with zeros behind', Buffer.concat([gzipSync(archive), Buffer.alloc(1000)])],
    [
      'zstd between frames to skip',
      Buffer.concat([
        skippable(3, Buffer.from('abc')),
        zstdCompressSync(archive),
        skippable(0, Buffer.alloc(0)),
      ]),
    ],
    ['words behind the end', Buffer.concat([archive, Buffer.from('words')])],
  ])('%s', async (_, bytes) => {
    expect(await outcome(bytes)).toEqual([F]);
  });
});
