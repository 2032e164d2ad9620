/** The tar reader against archives made by hand, by tar-stream and by GNU tar, cut in every way. */
import { execFileSync } from 'node:child_process';
import { closeSync, ftruncateSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import fc from 'fast-check';
import { pack } from 'tar-stream';
import { afterAll, describe, expect, test } from 'vitest';
import { readTar } from '../../support/read-tar.ts';
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
  symlink,
  tarArchive,
  tarEntry,
  tarHeader,
} from '../../support/tar-builder.ts';

const scratch = mkdtempSync(join(tmpdir(), 'tsrun-tar-reader-'));
afterAll(() => rmSync(scratch, { recursive: true }));

const only = (archive: Buffer) => {
  const entries = readTar(archive);
  expect(entries).toHaveLength(1);
  return entries[0]!;
};
const problemOf = (archive: Buffer): string => {
  try {
    readTar(archive);
  } catch (error) {
    expect(error).toMatchObject({ code: 'ERR_TSRUN_LAYER_ARCHIVE' });
    return (error as Error).message;
  }
  throw new Error('the archive was accepted');
};

describe('headers', () => {
  test('every field of a ustar header', () => {
    const header = { name: 'n', prefix: 'p/q', mode: 0o4755, uid: 5, gid: 7, mtime: 1_600_000_001 };
    expect(only(tarArchive(tarEntry(header, 'abc')))).toMatchObject({
      path: 'p/q/n',
      type: 'file',
      mode: 0o4755,
      uid: 5,
      gid: 7,
      size: 3,
      mtime: 1_600_000_001_000_000_000n,
      content: Buffer.from('abc'),
      sparse: undefined,
    });
  });
  test.each([
    ['1', 'hardlink'],
    ['2', 'symlink'],
    ['3', 'character'],
    ['4', 'block'],
    ['5', 'directory'],
    ['6', 'fifo'],
    ['7', 'file'],
    ['\0', 'file'],
  ])('type %j is a %s', (flag, type) => {
    const entry = only(tarArchive(tarHeader({ type: flag, linkname: 't', major: 3, minor: 9 })));
    expect(entry).toMatchObject({ type, linkpath: type.endsWith('link') ? 't' : '' });
    if (type === 'block') expect(entry).toMatchObject({ major: 3, minor: 9 });
  });
  test('v7: a slash at the end makes a directory; there is no prefix', () => {
    const patch = (block: Buffer) => block.write('not-a-prefix', 345, 'latin1');
    expect(only(tarArchive(tarHeader({ name: 'd/', type: '\0', magic: 'v7', patch })))).toMatchObject({
      path: 'd/',
      type: 'directory',
    });
  });
  test('names of exactly 100 and 155 bytes have no NUL at their end', () => {
    const name = 'n'.repeat(100);
    const prefix = 'p'.repeat(155);
    expect(only(tarArchive(tarHeader({ name, prefix, linkname: name, type: '2' })))).toMatchObject({
      path: `${prefix}/${name}`,
      linkpath: name,
    });
  });
  test('names are bytes', () => {
    expect(only(tarArchive(file('caf\xe9\xff'))).path).toBe('caf\xe9\xff');
  });
  test('content of links, directories and devices is not content, whatever the size says', () => {
    for (const type of ['1', '2', '3', '4', '5', '6']) {
      expect(readTar(tarArchive(tarHeader({ type, size: 512, linkname: 'x' }), file('next')))).toMatchObject([
        { size: 0 },
        { path: 'next' },
      ]);
    }
  });
  test('base-256 numbers, negative ones too', () => {
    expect(
      only(
        tarArchive(
          tarHeader({ uid: base256(5_000_000n, 8), gid: base256(70_000n, 8), mtime: base256(-5n, 12) }),
        ),
      ),
    ).toMatchObject({ uid: 5_000_000, gid: 70_000, mtime: -5_000_000_000n });
  });
  test('blanks around octal numbers', () => {
    const patch = (block: Buffer) => block.write('  755 \0\0', 100, 'latin1');
    expect(only(tarArchive(tarHeader({ patch }))).mode).toBe(0o755);
  });
  test('a checksum of signed bytes', () => {
    const name = '\xe9\xff';
    const right = tarHeader({ name });
    const unsigned = Number.parseInt(right.toString('latin1', 148, 154), 8);
    expect(only(tarArchive(tarHeader({ name, checksum: unsigned - 512 }))).path).toBe(name);
  });
  test.each<[string, Buffer]>([
    ['checksum', tarHeader({ checksum: 1 })],
    ['unknown type "V"', tarHeader({ type: 'V' })],
    ['unknown type "D"', tarHeader({ type: 'D' })],
    ['number at byte 124', tarHeader({ patch: (b) => b.write('12x', 124, 'latin1') })],
    ['number at byte 124', tarHeader({ size: base256(1n << 60n, 12) })],
    ['negative size', tarHeader({ size: base256(-1n, 12) })],
    ['single block of zeros', Buffer.concat([Buffer.alloc(512), file('x')])],
  ])('refused: %s', (problem, part) => {
    expect(problemOf(tarArchive(part))).toContain(problem);
  });
});

describe('the end', () => {
  test('nothing, zeros, and trailing data', () => {
    expect(readTar(Buffer.alloc(0))).toEqual([]);
    expect(readTar(Buffer.alloc(10_240))).toEqual([]);
    expect(readTar(Buffer.concat([tarArchive(file('a')), Buffer.from('garbage'), file('b')]))).toHaveLength(
      1,
    );
  });
  test('an archive may end without zero blocks, or with one, or without the last padding', () => {
    expect(readTar(file('a'))).toHaveLength(1);
    expect(readTar(Buffer.concat([file('a'), Buffer.alloc(512)]))).toHaveLength(1);
    expect(readTar(file('a', 'abc').subarray(0, 515))).toHaveLength(1);
  });
  test('cut anywhere else is an error', () => {
    const archive = Buffer.concat([
      paxHeader({ path: 'p' }),
      tarEntry({}, 'x'.repeat(600)),
      symlink('s', 't'),
    ]);
    const complete = new Set<number>([0, 2048 + 600, archive.length - 512, archive.length]);
    for (let end = 2048 - 512 + 600; end <= 2048 - 512 + 1024; end++) complete.add(end);
    for (let end = 0; end <= archive.length; end++) {
      const cut = archive.subarray(0, end);
      if (complete.has(end) && end !== 2048 + 600) expect(() => readTar(cut)).not.toThrow();
      else expect(problemOf(cut), `cut at ${end}`).toContain('ends in the middle');
    }
  });
  test('errors name the entry and the offset', () => {
    const archive = Buffer.concat([file('one'), file('dir/two', 'x'.repeat(100)).subarray(0, 600)]);
    expect(problemOf(archive)).toContain('at byte 1624, entry "dir/two"');
  });
});

describe('extended headers', () => {
  test('pax overrides the header', () => {
    const pax = {
      path: 'long/p\xc3\xa9',
      uid: '3000000',
      gid: '4',
      mtime: '1.000000001',
      atime: '2.5',
      size: '3',
    };
    const archive = tarArchive(paxHeader(pax), tarHeader({ size: 0 }), padded(Buffer.from('abc')));
    expect(only(archive)).toMatchObject({
      path: 'long/p\xc3\xa9',
      uid: 3_000_000,
      gid: 4,
      mtime: 1_000_000_001n,
      atime: 2_500_000_000n,
      content: Buffer.from('abc'),
    });
  });
  test('a link target by pax; an empty value leaves the header in force', () => {
    const fields = { type: '2', linkname: 'short', name: 'kept' };
    expect(only(tarArchive(tarEntry(fields, '', { linkpath: 'far/away', path: '' })))).toMatchObject({
      path: 'kept',
      linkpath: 'far/away',
    });
  });
  test.each([
    ['0', 0n],
    ['-1', -1_000_000_000n],
    ['-1.5', -1_500_000_000n],
    ['1.1234567899', 1_123_456_789n],
    ['1.', 1_000_000_000n],
  ])('the time %s', (mtime, expected) => {
    expect(only(tarArchive(tarEntry({}, '', { mtime }))).mtime).toBe(expected);
  });
  test('attributes are bytes: NUL, newline, equals and invalid UTF-8 survive', () => {
    const value = Buffer.from([0, 10, 61, 0xff, 0xfe, 1]);
    const entry = only(tarArchive(tarEntry({}, '', { 'SCHILY.xattr.security.capability': value })));
    expect(entry.xattrs.get('security.capability')).toEqual(value);
  });
  test("libarchive's attributes, unless star's are there too", () => {
    const pax = {
      'LIBARCHIVE.xattr.user.a%20b': Buffer.from('one').toString('base64'),
      'LIBARCHIVE.xattr.user.both': Buffer.from('lib').toString('base64'),
      'SCHILY.xattr.user.both': 'star',
    };
    const { xattrs } = only(tarArchive(tarEntry({}, '', pax)));
    expect([...xattrs].map(([k, v]) => [k, String(v)])).toEqual([
      ['user.a b', 'one'],
      ['user.both', 'star'],
    ]);
  });
  test('global headers say nothing about what follows, as in Go', () => {
    const global = paxHeader({ uid: '42', mtime: '7', path: 'evil', size: '9999', comment: 'x' }, 'g');
    const archive = tarArchive(global, file('a'), tarEntry({ name: 'b', gid: 3 }, '', { uid: '43' }));
    expect(readTar(archive)).toMatchObject([
      { path: 'a', uid: 0, mtime: 1_700_000_000_000_000_000n, size: 7 },
      { path: 'b', uid: 43, gid: 3, mtime: 1_700_000_000_000_000_000n },
    ]);
    expect(readTar(tarArchive(paxHeader({ path: 'x' }), global, file('f')))).toMatchObject([{ path: 'f' }]);
  });
  test('times that no disk can keep are read', () => {
    const far = tarEntry({ name: 'pax' }, '', { mtime: '9'.repeat(18) });
    const farther = tarEntry({ name: 'binary', mtime: base256(1n << 62n, 12) });
    const times = readTar(tarArchive(far, farther)).map(({ mtime }) => mtime);
    expect(times).toEqual([BigInt('9'.repeat(18)) * 10n ** 9n, BigInt(Number.MAX_SAFE_INTEGER) * 10n ** 9n]);
  });
  test('a name that libarchive encodes holds no NUL when it is decoded', () => {
    const value = Buffer.from('x').toString('base64');
    const pax = {
      'LIBARCHIVE.xattr.user.containers.override_stat%00': value,
      'LIBARCHIVE.xattr.user.a': value,
    };
    expect([...only(tarArchive(tarEntry({}, '', pax))).xattrs.keys()]).toEqual(['user.a']);
  });
  test('an empty long name is none', () => {
    const archive = tarArchive(gnuLong('L', ''), gnuLong('K', ''), symlink('short', 'target'));
    expect(only(archive)).toMatchObject({ path: 'short', linkpath: 'target' });
  });
  test('apply to one entry only; the last of two counts', () => {
    const archive = tarArchive(paxHeader({ path: 'x' }), paxHeader({ path: 'y' }), file('1'), file('2'));
    expect(readTar(archive).map((e) => e.path)).toEqual(['y', '2']);
  });
  test("GNU's long names win over pax", () => {
    const long = `${'d/'.repeat(200)}f`;
    const link = 't'.repeat(300);
    const archive = tarArchive(gnuLong('L', long), gnuLong('K', link), symlink('short', 'short'));
    expect(only(archive)).toMatchObject({ path: long, linkpath: link });
    const both = tarArchive(paxHeader({ path: 'pax' }), gnuLong('L', 'gnu'), file('short'));
    expect(only(both).path).toBe('gnu');
  });
  test.each<[string, string]>([
    ['without a length', 'abc'],
    ['without a length', ' path=x\n'],
    ['without a length', '99999999999 path=x\n'],
    ['wrong length', '99 path=x\n'],
    ['wrong length', '9 path=xy\n'],
    ['wrong length', '0 path=x\n'],
    ['without a key', '5 xy\n'],
    ['without a key', '6 =xy\n'],
    ['NUL in its path', '13 path=a\0bc\n'],
    ['valid uid', '9 uid=-1\n'],
    ['valid size', '12 size=1e3\n'],
    ['valid mtime', '13 mtime=1e3\n'],
    ['out of order', '23 GNU.sparse.numbytes=1\n'.replace('23', '25')],
  ])('refused: %s (%j)', (problem, body) => {
    const archive = tarArchive(extendedHeader(Buffer.from(body, 'latin1')), file('a', ''));
    expect(problemOf(archive)).toContain(problem);
  });
  test('refused: one without an entry, and one that is too long', () => {
    expect(problemOf(tarArchive(paxHeader({ path: 'x' })))).toContain('no entry');
    expect(problemOf(tarHeader({ type: 'x', size: (1 << 20) + 1 }))).toContain('too long');
    expect(problemOf(tarHeader({ type: 'L', size: (1 << 20) + 1 }))).toContain('too long');
  });
});

describe('sparse files', () => {
  const sparsePath = join(scratch, 'sparse');
  const ranges = Array.from({ length: 60 }, (_, i) => i * 65_536);
  const fd = openSync(sparsePath, 'w');
  for (const at of ranges) writeSync(fd, `data at ${at}`, at);
  ftruncateSync(fd, 60 * 65_536 + 12_345);
  closeSync(fd);
  const original = readFileSync(sparsePath);

  test.each([
    ['old GNU', ['--format=gnu']],
    ['0.0', ['--format=pax', '--sparse-version=0.0']],
    ['0.1', ['--format=pax', '--sparse-version=0.1']],
    ['1.0', ['--format=pax', '--sparse-version=1.0']],
  ])('%s, as GNU tar writes it', (_, options) => {
    const archive = execFileSync('tar', ['-c', '--sparse', ...options, '-C', scratch, 'sparse'], {
      maxBuffer: 1 << 26,
    });
    for (const piece of [archive.length, 7, 511]) {
      const pieces = Array.from({ length: Math.ceil(archive.length / piece) }, () => piece);
      const [entry] = readTar(archive, pieces);
      expect(entry).toMatchObject({ path: 'sparse', type: 'file', size: original.length });
      expect(entry!.sparse!.length).toBeGreaterThan(21 + 4);
      expect(entry!.content.equals(original)).toBe(true);
    }
  });
  const map = (value: string, size = '10') => ({ 'GNU.sparse.map': value, 'GNU.sparse.size': size });
  test.each<[string, Record<string, string>, string]>([
    ['overlapping ranges', map('0,2,1,2'), 'abcd'],
    ['ranges past the end', map('8,4'), 'abcd'],
    ['less than is stored', map('0,2'), 'abcd'],
    ['more than is stored', map('0,8'), 'abcd'],
    ['an odd number', map('0,4,5'), 'abcd'],
    ['no numbers', map('0,x'), 'abcd'],
    ['huge numbers', map('9007199254740993,4', '9007199254740999'), 'abcd'],
    ['an unknown version', { 'GNU.sparse.major': '2', 'GNU.sparse.minor': '0' }, 'abcd'],
    [
      '1.0 without a map',
      { 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.realsize': '9' },
      'abcd',
    ],
  ])('refused: %s', (_, pax, content) => {
    expect(problemOf(tarArchive(tarEntry({}, content, pax)))).toMatch(/sparse|valid/);
  });
  test.each([
    ['a count that is none', 'x\n'],
    ['a count that is too large', '99999999\n'],
    ['an endless line', '1'.repeat(512)],
    ['a map longer than the file', '60\n0\n0\n'],
  ])('refused: 1.0 with %s', (_, text) => {
    const pax = { 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.realsize': '9' };
    expect(problemOf(tarArchive(tarEntry({}, padded(Buffer.from(text)), pax)))).toContain('sparse map');
  });
});

describe('properties', () => {
  const name = fc
    .array(fc.stringMatching(/^[a-zA-Z0-9._ -]{1,40}$/), { minLength: 1, maxLength: 8 })
    .map((parts) => parts.join('/'))
    .filter((path) => !path.endsWith('/'));
  const entries = fc.array(
    fc.record({
      name,
      mode: fc.integer({ min: 1, max: 0o7777 }) /* tar-stream takes 0 for unset */,
      uid: fc.integer({ min: 0, max: 0o777_777 }),
      gid: fc.integer({ min: 0, max: 0o777_777 }),
      mtime: fc
        .integer({ min: 0, max: 2_147_483_647 })
        .map((s) => new Date(s * 1000)) /* tar-stream stops at 31 bits */,
      content: fc.uint8Array({ maxLength: 2000 }),
    }),
    { maxLength: 8 },
  );

  test('what tar-stream writes is read back, whatever the pieces', async () => {
    const pieces = fc.array(fc.integer({ min: 1, max: 1500 }), { maxLength: 60 });
    const property = fc.asyncProperty(entries, pieces, async (list, cuts) => {
      const packer = pack();
      for (const { content, ...header } of list) packer.entry(header, Buffer.from(content));
      packer.finalize();
      const read = readTar(await buffer(packer), cuts);
      expect(
        read.map(({ path, mode, uid, gid, mtime, content }) => ({ path, mode, uid, gid, mtime, content })),
      ).toEqual(
        list.map(({ name: path, mode, uid, gid, mtime, content }) => ({
          path,
          mode,
          uid,
          gid,
          mtime: BigInt(mtime.getTime()) * 1_000_000n,
          content: Buffer.from(content),
        })),
      );
    });
    await fc.assert(property, { numRuns: 200 });
  });

  test('damage is an error or another archive, never anything else', () => {
    const pax = {
      path: 'p',
      'SCHILY.xattr.user.x': 'y',
      'GNU.sparse.map': '0,4,8,3',
      'GNU.sparse.size': '12',
    };
    const archive = Buffer.concat([
      tarEntry({}, 'abcdefg', pax),
      gnuLong('L', 'long'.repeat(40)),
      directory('d'),
      hardlink('h', 'd/x'),
      END_OF_ARCHIVE,
    ]);
    const change = fc.tuple(fc.nat(archive.length - 1), fc.nat(255));
    const property = fc.property(
      fc.array(change, { minLength: 1, maxLength: 4 }),
      fc.boolean(),
      (changes, fix) => {
        const damaged = Buffer.from(archive);
        for (const [at, byte] of changes) damaged[at] = byte;
        if (fix) {
          for (let at = 0; at + 512 <= damaged.length; at += 512) fixChecksum(damaged.subarray(at, at + 512));
        }
        try {
          readTar(damaged);
        } catch (error) {
          expect(error).toMatchObject({ code: 'ERR_TSRUN_LAYER_ARCHIVE' });
        }
      },
    );
    fc.assert(property, { numRuns: 3000 });
  });
});

/** Makes damage inside a header pass its checksum. */
function fixChecksum(block: Buffer): void {
  if (block.toString('latin1', 257, 262) !== 'ustar') return;
  const sum = block.reduce((total, byte, i) => total + (i >= 148 && i < 156 ? 0x20 : byte), 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 8, 'latin1');
}
