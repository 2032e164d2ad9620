import { appendFileSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BlobStore } from '../../../src/store/blobs.ts';
import { sha256 } from '../../../src/store/hash.ts';
import { blobPath, blobsDirectory, partialBlobPath } from '../../../src/store/paths.ts';
import { readFollowing } from '../../support/read-following.ts';
import { temporaryStore } from '../../support/temporary-store.ts';

const bytes = Buffer.from('the quick brown fox jumps over the lazy dog '.repeat(1000));
const descriptor = { mediaType: 'x', digest: sha256(bytes), size: bytes.length };
const open = (blobs: BlobStore) => blobs.openPartial(descriptor, { what: 'layer x' });

async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe('a partial blob', () => {
  test('gets its name when it is whole and right', async () => {
    const paths = temporaryStore();
    const blobs = new BlobStore(paths);
    const partial = await open(blobs);
    partial!.append(bytes);
    expect(blobs.has(descriptor.digest)).toBe(false);
    await partial!.complete();
    expect(readFileSync(blobPath(paths, descriptor.digest))).toEqual(bytes);
    expect(existsSync(partialBlobPath(paths, descriptor.digest))).toBe(false);
    expect(await open(blobs)).toBeUndefined();
  });

  test('in any pieces, with any interruptions, read along from any moment', {
    timeout: 180_000,
  }, async () => {
    const cuts = fc.array(fc.nat({ max: bytes.length }), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(cuts, fc.nat({ max: 8 }), async (at, interruptedAt) => {
        const blobs = new BlobStore(temporaryStore());
        const ends = [...at.sort((a, b) => a - b), bytes.length];
        let partial = await open(blobs);
        let reading = collect(readFollowing(partial!.file));
        for (const [i, end] of ends.entries()) {
          if (i === interruptedAt) {
            partial!.close(new Error('interrupted'));
            await expect(reading).rejects.toThrow('interrupted');
            partial = await open(blobs);
            reading = collect(readFollowing(partial!.file));
          }
          partial!.append(bytes.subarray(partial!.received, end));
        }
        await partial!.complete();
        expect(await reading).toEqual(bytes);
        expect(await collect(readFollowing(partial!.file))).toEqual(bytes);
      }),
      { numRuns: 50 },
    );
  });

  // An empty piece was handed to the reader without end, which then filled the memory and held up the download.
  test('an empty piece, as a server may send, changes nothing', async () => {
    const partial = await open(new BlobStore(temporaryStore()));
    const reading = collect(readFollowing(partial!.file));
    for (const end of [100, 100, bytes.length, bytes.length]) {
      partial!.append(bytes.subarray(partial!.received, end));
      await new Promise(setImmediate);
    }
    await partial!.complete();
    expect(await reading).toEqual(bytes);
  });

  // The reader of a small blob waited until it was durable.
  test('is read to its last byte before it is verified', async () => {
    const partial = await open(new BlobStore(temporaryStore()));
    const growth = partial!.file.growth();
    partial!.append(bytes);
    expect(await growth.next()).toEqual({ done: false, value: bytes.length });
    await partial!.complete();
    expect(await growth.next()).toEqual({ done: true, value: undefined });
  });

  test('is removed when a bit is wrong', async () => {
    const paths = temporaryStore();
    const wrong = Buffer.from(bytes);
    wrong[99]! ^= 4;
    const partial = await open(new BlobStore(paths));
    partial!.append(wrong);
    await expect(partial!.complete()).rejects.toThrow(
      `layer x has the wrong digest: expected ${descriptor.digest}, got ${sha256(wrong)}`,
    );
    expect(existsSync(partialBlobPath(paths, descriptor.digest))).toBe(false);
  });

  test('is removed when it is too long or too short', async () => {
    const paths = temporaryStore();
    const long = await open(new BlobStore(paths));
    long!.append(bytes);
    expect(() => long!.append(Buffer.from('x'))).toThrow(/wrong size: expected 44000, got 44001 or more/);
    const short = await open(new BlobStore(paths));
    expect(short!.received).toBe(0);
    short!.append(bytes.subarray(1));
    await expect(short!.complete()).rejects.toThrow(/wrong size: expected 44000, got 43999/);
    expect(existsSync(partialBlobPath(paths, descriptor.digest))).toBe(false);
  });

  test('left by another process is hashed again, and started over when too long', async () => {
    const paths = temporaryStore();
    mkdirSync(blobsDirectory(paths), { recursive: true });
    const path = partialBlobPath(paths, descriptor.digest);
    writeFileSync(path, bytes.subarray(0, 12_345));
    const kept = await open(new BlobStore(paths));
    expect([kept!.received, kept!.isResumed]).toEqual([12_345, true]);
    kept!.close(undefined);
    appendFileSync(path, bytes);
    const over = await open(new BlobStore(paths));
    expect([over!.received, over!.isResumed, statSync(path).size]).toEqual([0, false, 0]);
    over!.close(undefined);
  });

  test('is one at a time: the second waits, and finds the blob complete', async () => {
    const blobs = new BlobStore(temporaryStore());
    const first = await open(blobs);
    let waits = 0;
    const second = blobs.openPartial(descriptor, { what: 'x', onWait: () => waits++ });
    first!.append(bytes);
    await first!.complete();
    expect(await second).toBeUndefined();
    expect(waits).toBe(1);
  });

  test('passes on to the one who waits when its owner gives up', async () => {
    const blobs = new BlobStore(temporaryStore());
    const first = await open(blobs);
    const second = open(blobs);
    first!.append(bytes.subarray(0, 10));
    first!.close(new Error('given up'));
    expect((await second)!.received).toBe(10);
    (await second)!.discard();
  });

  test('waiting ends when it is aborted', async () => {
    const blobs = new BlobStore(temporaryStore());
    const first = await open(blobs);
    const stop = new AbortController();
    const second = blobs.openPartial(descriptor, {
      what: 'x',
      signal: stop.signal,
      onWait: () => stop.abort(),
    });
    await expect(second).rejects.toMatchObject({ name: 'AbortError' });
    first!.discard();
  });
});

test('a small blob is verified, and heals a damaged one', () => {
  const paths = temporaryStore();
  const blobs = new BlobStore(paths);
  expect(() => blobs.put(bytes, sha256('other'), 'the config')).toThrow(/the config has the wrong digest/);
  blobs.put(bytes, descriptor.digest, 'the config');
  expect(blobs.readVerifiedText(descriptor.digest)).toBe(bytes.toString());
  writeFileSync(blobPath(paths, descriptor.digest), 'short');
  expect(blobs.readVerifiedText(descriptor.digest)).toBeUndefined();
  blobs.put(bytes, descriptor.digest, 'the config');
  expect(blobs.readVerifiedText(descriptor.digest)).toBe(bytes.toString());
});

describe('a document put while other things are done', () => {
  const put = (blobs: BlobStore) => blobs.putApart(bytes, descriptor.digest, 'document x');

  test.for([
    ['where there is none', () => {}],
    ['in the place of a damaged one', (path: string) => writeFileSync(path, 'damaged')],
    ['over what a killed process left', (path: string) => writeFileSync(`${path}.partial`, 'the quick?')],
    ['where it is already', (path: string) => writeFileSync(path, bytes)],
  ] as const)('%s', async ([, prepare]) => {
    const paths = temporaryStore();
    mkdirSync(blobsDirectory(paths), { recursive: true });
    prepare(blobPath(paths, descriptor.digest));
    await put(new BlobStore(paths));
    expect(readFileSync(blobPath(paths, descriptor.digest))).toEqual(bytes);
    expect(existsSync(partialBlobPath(paths, descriptor.digest))).toBe(false);
  });

  test('is not kept under a digest that is not its own', async () => {
    const paths = temporaryStore();
    const other = sha256('other');
    await expect(new BlobStore(paths).putApart(bytes, other, 'document x')).rejects.toMatchObject({
      code: 'ERR_TSRUN_MISMATCH',
    });
    expect(existsSync(blobPath(paths, other))).toBe(false);
  });
});
