/** An unpacker that unpacks nothing: it computes the DiffID, and writes the archive's bytes into one file of the layer. */
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import type { LayerUnpacker, UnpackTarget } from '../../src/image/layer-sink.ts';
import type { DiffId } from '../../src/spec/image.ts';
import { sniffCompression } from '../../src/spec/media-types.ts';
import { Digester } from '../../src/store/hash.ts';
import { readFollowing } from './read-following.ts';

export interface HashingUnpacker extends LayerUnpacker {
  opened: UnpackTarget[];
  aborted: number;
}

const DECODERS = { gzip: createGunzip, zstd: createZstdDecompress, none: () => new PassThrough() };

export function hashingUnpacker(options: { slowMs?: number } = {}): HashingUnpacker {
  const unpacker: HashingUnpacker = {
    opened: [],
    aborted: 0,
    prepare() {},
    expect() {},
    async close() {},
    open(target) {
      unpacker.opened.push(target);
      const hash = new Digester();
      let size = 0;
      const hashing = new Transform({
        transform(chunk: Buffer, _encoding, done) {
          hash.update(chunk);
          size += chunk.length;
          if (options.slowMs === undefined) done(null, chunk);
          else setTimeout(() => done(null, chunk), options.slowMs);
        },
      });
      const stop = new AbortController();
      const unpack = async (): Promise<void> => {
        const source = readFollowing(target.blob);
        const first = await source.next();
        const head = first.done === true ? Buffer.alloc(0) : first.value;
        const input = Readable.from(
          (async function* () {
            yield head;
            yield* source;
          })(),
        );
        const file = createWriteStream(join(target.diffDirectory, 'archive'));
        await pipeline(input, DECODERS[sniffCompression(head)](), hashing, file, { signal: stop.signal });
      };
      const finished = unpack();
      finished.catch(() => undefined); // finish() tells
      return {
        async finish() {
          await finished;
          return { diffId: hash.digest() as DiffId, size, entries: 1, skippedDevices: 0, squashedOwners: 0 };
        },
        async abort() {
          unpacker.aborted++;
          stop.abort();
          await finished.catch(() => undefined);
        },
      };
    },
  };
  return unpacker;
}
