/** Decompression: members and frames in a row, cut anywhere, padding, garbage. */
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { gzipSync, constants as zlibConstants, zstdCompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { decompress } from '../../../src/image/unpack/decompress.ts';
import { DEFAULT_LIMITS, SizeMeter } from '../../../src/image/unpack/limits.ts';
import { ZstdFrameWalker } from '../../../src/image/unpack/zstd-frames.ts';
import type { Compression } from '../../../src/spec/media-types.ts';

async function run(compression: Compression, ...pieces: Buffer[]): Promise<Buffer> {
  const meter = new SizeMeter(DEFAULT_LIMITS);
  const chunks: Buffer[] = [];
  for await (const chunk of decompress(Readable.from(pieces), compression, meter)) chunks.push(chunk);
  const output = Buffer.concat(chunks);
  expect(meter.uncompressed).toBe(output.length);
  return output;
}
const cut = (bytes: Buffer, at: number): Buffer[] =>
  [bytes.subarray(0, at), bytes.subarray(at)].filter((b) => b.length > 0);
const failure = { code: 'ERR_TSRUN_LAYER_COMPRESSION' };

/** RFC 8878 section 3.1.2 */
const skippable = (size: number): Buffer => {
  const header = Buffer.from([0x5a, 0x2a, 0x4d, 0x18, 0, 0, 0, 0]);
  header.writeUInt32LE(size, 4);
  return Buffer.concat([header, randomBytes(size)]);
};

describe('gzip', () => {
  const members = Buffer.concat([gzipSync('one'), gzipSync(''), gzipSync('two')]);
  test('members in a row, cut at every byte', async () => {
    for (let at = 0; at <= members.length; at++)
      expect(String(await run('gzip', ...cut(members, at)))).toBe('onetwo');
  });
  test('zeros at the end are padding, anything else is not', async () => {
    expect(String(await run('gzip', members, Buffer.alloc(1000)))).toBe('onetwo');
    expect(String(await run('gzip', Buffer.concat([members, Buffer.alloc(1000)])))).toBe('onetwo');
    await expect(run('gzip', members, Buffer.from('garbage'))).rejects.toMatchObject(failure);
  });
  test('no gzip at all', async () => {
    await expect(run('gzip', Buffer.alloc(512, 'x'))).rejects.toMatchObject(failure);
    await expect(run('gzip')).rejects.toMatchObject(failure);
  });
  test('cut short at every byte', async () => {
    const bytes = gzipSync(randomBytes(100));
    for (let at = 0; at < bytes.length; at++) {
      await expect(run('gzip', bytes.subarray(0, at)), `cut at ${at}`).rejects.toMatchObject(failure);
    }
  });
});

describe('zstd', () => {
  const compress = (data: string | Buffer, checksum: boolean): Buffer =>
    zstdCompressSync(data, { params: { [zlibConstants.ZSTD_c_checksumFlag]: checksum ? 1 : 0 } });
  const frames = Buffer.concat([
    compress('one', true),
    skippable(13),
    compress('', false),
    compress('two', false),
    skippable(0),
  ]);

  test('frames in a row, skippable ones too, cut at every byte', async () => {
    for (let at = 0; at <= frames.length; at++)
      expect(String(await run('zstd', ...cut(frames, at)))).toBe('onetwo');
  });
  test('frames of every kind of block, large and small, in pieces', async () => {
    const data = [
      randomBytes(300_000),
      Buffer.alloc(5_000_000),
      Buffer.from('text '.repeat(60_000)),
      randomBytes(10),
    ];
    const bytes = Buffer.concat(data.map((part, i) => compress(part, i % 2 === 0)));
    const pieces = Array.from({ length: Math.ceil(bytes.length / 4096) }, (_, i) =>
      bytes.subarray(4096 * i, 4096 * (i + 1)),
    );
    const expected = Buffer.concat(data);
    expect((await run('zstd', bytes)).equals(expected)).toBe(true);
    expect((await run('zstd', ...pieces)).equals(expected)).toBe(true);
  });
  test('cut short at every byte, except between frames', async () => {
    const bytes = Buffer.concat([compress('one', true), compress(randomBytes(50), false)]);
    const between = compress('one', true).length;
    for (let at = 1; at < bytes.length; at++) {
      if (at === between) continue;
      await expect(run('zstd', bytes.subarray(0, at)), `cut at ${at}`).rejects.toMatchObject(failure);
    }
    expect(String(await run('zstd', bytes.subarray(0, between)))).toBe('one');
  });
  test('garbage between and after frames, and damage inside', async () => {
    await expect(run('zstd', frames, Buffer.from('garbage'))).rejects.toMatchObject(failure);
    await expect(run('zstd', frames, Buffer.alloc(4))).rejects.toMatchObject(failure);
    const damaged = compress(Buffer.from('text '.repeat(1000)), true);
    damaged[damaged.length - 1] = (damaged.at(-1) ?? 0) ^ 1;
    await expect(run('zstd', damaged)).rejects.toMatchObject(failure);
  });
  test('the walker finds the end of each frame', () => {
    const walker = new ZstdFrameWalker();
    const ends: number[] = [];
    for (let at = 0; at < frames.length; ) {
      const walked = walker.walk(frames, at)!;
      at = walked.at;
      if (walked.ends) ends.push(at);
    }
    const lengths = [
      compress('one', true),
      skippable(13),
      compress('', false),
      compress('two', false),
      skippable(0),
    ].map((f) => f.length);
    expect(ends).toEqual(lengths.map((_, i) => lengths.slice(0, i + 1).reduce((sum, n) => sum + n, 0)));
    expect(walker.isBetween).toBe(true);
  });
});

test('none: bytes as they are', async () => {
  expect(String(await run('none', Buffer.from('ab'), Buffer.from('c')))).toBe('abc');
});
