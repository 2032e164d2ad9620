/** An unpacker that unpacks nothing: it computes the DiffID, and writes the archive's bytes into one file of the layer. */
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { type Duplex, PassThrough, Transform } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import type { LayerUnpacker, UnpackTarget } from '../../src/image/layer-sink.ts';
import type { DiffId } from '../../src/spec/image.ts';
import { Sha256 } from '../../src/store/hash.ts';

export interface HashingUnpacker extends LayerUnpacker {
  opened: UnpackTarget[];
  aborted: number;
}

export function hashingUnpacker(options: { slowMs?: number } = {}): HashingUnpacker {
  const unpacker: HashingUnpacker = {
    opened: [],
    aborted: 0,
    prepare() {},
    async close() {},
    open(target) {
      unpacker.opened.push(target);
      const decoders: Record<string, () => Duplex> = {
        gzip: createGunzip,
        zstd: createZstdDecompress,
        none: () => new PassThrough(),
      };
      const input = decoders[target.compression]!();
      const hash = new Sha256();
      let size = 0;
      const hashing = new Transform({
        transform(chunk: Buffer, _encoding, done) {
          hash.update(chunk);
          size += chunk.length;
          if (options.slowMs === undefined) done(null, chunk);
          else setTimeout(() => done(null, chunk), options.slowMs);
        },
      });
      const file = createWriteStream(join(target.diffDirectory, 'archive'));
      let failure: Error | undefined;
      const finished = new Promise<void>((resolve) => {
        const settle = (error?: Error): void => {
          failure ??= error;
          resolve();
        };
        file.on('close', () => settle());
        for (const stream of [input, hashing, file]) stream.on('error', settle);
      });
      input.pipe(hashing).pipe(file);
      return {
        input,
        async finish() {
          await finished;
          if (failure) throw failure;
          return { diffId: hash.digest() as DiffId, size, entries: 1, skippedDevices: 0, squashedOwners: 0 };
        },
        async abort() {
          unpacker.aborted++;
          for (const stream of [input, hashing]) stream.destroy();
          file.destroy();
          await finished;
        },
      };
    },
  };
  return unpacker;
}
