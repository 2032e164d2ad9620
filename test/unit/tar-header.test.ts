/** Headers as the packer writes them, read by tsrun's own reader and by GNU tar. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeTarHeader, endOfArchive, type PackEntry, padding } from '../../src/image/pack/tar-header.ts';
import { readTar } from '../support/read-tar.ts';

const entry = (fields: Partial<PackEntry>): PackEntry => ({
  path: 'file',
  type: 'file',
  mode: 0o644,
  uid: 0,
  gid: 0,
  size: 0,
  mtime: 1_700_000_000_000_000_000n,
  linkpath: '',
  xattrs: new Map(),
  major: 0,
  minor: 0,
  ...fields,
});

/** @param content of files; its length is the entry's size */
const archived = (fields: Partial<PackEntry>, content = Buffer.alloc(0)): Buffer =>
  Buffer.concat([
    encodeTarHeader(entry({ ...fields, size: content.length })),
    content,
    padding(content.length),
    endOfArchive(),
  ]);

// Any bytes but NUL; a name does not begin or end with a slash, and is not nothing.
const name = fc
  .uint8Array({ minLength: 1, maxLength: 300 })
  .map((bytes) => Buffer.from(bytes.map((b) => (b === 0 || b === 0x2f ? 0x61 : b))).toString('latin1'));
const fields = fc.record({
  path: name,
  type: fc.constantFrom('file', 'directory', 'fifo', 'symlink', 'hardlink', 'character', 'block'),
  mode: fc.integer({ min: 0, max: 0o7777 }),
  uid: fc.integer({ min: 0, max: 0xfffffffe }),
  gid: fc.integer({ min: 0, max: 0xfffffffe }),
  mtime: fc.bigInt({ min: -(10n ** 18n), max: 10n ** 20n - 1n }),
  target: name,
  attribute: fc.dictionary(
    name.filter((n) => n.length < 100 && !n.includes('\n')),
    fc.uint8Array({ minLength: 1, maxLength: 600 }),
    { maxKeys: 3 },
  ),
  device: fc.tuple(fc.integer({ min: 0, max: 0o7777777 }), fc.integer({ min: 0, max: 0o7777777 })),
  content: fc.uint8Array({ maxLength: 2000 }),
});

describe('tar headers', () => {
  test('say the same to the reader, whatever the entry', () => {
    fc.assert(
      fc.property(fields, ({ path, type, mode, uid, gid, mtime, target, attribute, device, content }) => {
        const isFile = type === 'file';
        const isDevice = type === 'character' || type === 'block';
        const written = entry({
          path,
          type: type as PackEntry['type'],
          mode,
          uid,
          gid,
          mtime,
          linkpath: type === 'symlink' || type === 'hardlink' ? target : '',
          xattrs: new Map(
            Object.entries(attribute).map(([key, value]) => [`user.${key}`, Buffer.from(value)]),
          ),
          major: isDevice ? device[0] : 0,
          minor: isDevice ? device[1] : 0,
        });
        const [read, ...more] = readTar(archived(written, Buffer.from(isFile ? content : [])));
        expect(more).toEqual([]);
        const { atime: _, sparse: __, content: bytes, ...rest } = read ?? expect.fail('nothing was read');
        expect(rest).toEqual({ ...written, size: isFile ? content.length : 0 });
        expect(bytes).toEqual(Buffer.from(isFile ? content : []));
      }),
    );
  });

  test('fit one block when nothing is unusual', () => {
    expect(encodeTarHeader(entry({})).length).toBe(512);
    expect(encodeTarHeader(entry({ path: 'a'.repeat(100) })).length).toBe(512);
    expect(encodeTarHeader(entry({ path: 'a'.repeat(101) })).length).toBe(3 * 512);
  });

  test('announce files larger than an octal field holds', () => {
    const header = encodeTarHeader(entry({ size: 2 ** 40 + 7 }));
    expect(header.toString('latin1')).toContain('22 size=1099511627783\n');
  });

  test('are understood by GNU tar', () => {
    const directory = mkdtempSync(join(tmpdir(), 'tsrun-tar-'));
    try {
      const path = `${'long-'.repeat(50)}é`;
      const input = Buffer.concat([
        archived(
          { path: Buffer.from(path).toString('latin1'), mode: 0o640 },
          Buffer.from('content'),
        ).subarray(0, -1024),
        archived({
          path: 'link',
          type: 'symlink',
          linkpath: 'x'.repeat(150),
          mtime: 1_500_000_000_250_000_000n,
        }),
      ]);
      execFileSync('tar', ['-x', '-C', directory], { input });
      expect(readFileSync(join(directory, path), 'utf8')).toBe('content');
      const list = execFileSync('tar', ['-tv', '--numeric-owner', '--full-time', '--utc'], {
        input,
        encoding: 'utf8',
      });
      expect(list).toContain('2017-07-14 02:40:00.25 link -> xxxx');
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
