/** An archive into the store's blobs, compressed; its digest is known when it is written. */
import { closeSync, fsync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Duplex, pipeline, Readable } from 'node:stream';
import { promisify } from 'node:util';
import * as zlib from 'node:zlib';
import { TsrunError, tsrunError } from '../../errors.ts';
import type { Digest } from '../../spec/image.ts';
import { Digester } from '../../store/hash.ts';
import { blobPath, type StorePaths } from '../../store/paths.ts';
import { pin } from '../../store/pins.ts';
import { temporaryPath } from '../../store/temporary.ts';
import { makeDirectories } from '../../sys/make-directories.ts';

export interface Compressor {
  format: 'gzip' | 'zstd';
  /** gzip 0-9, zstd 1-22; undefined: what their own programs take */
  level: number | undefined;
}

/** A blob that is kept until this is disposed of. */
export interface CompressedBlob extends Disposable {
  digest: Digest;
  /** bytes */
  size: number;
}

const CHUNK = 1 << 18;
const fsyncAsync = promisify(fsync);

/** The same bytes make the same blob: neither header says when, where or by whom. */
function compressor({ format, level }: Compressor): Duplex {
  if (format === 'gzip') return zlib.createGzip({ chunkSize: CHUNK, ...(level !== undefined && { level }) });
  const { ZSTD_c_checksumFlag, ZSTD_c_compressionLevel } = zlib.constants;
  const params = {
    [ZSTD_c_checksumFlag]: 1,
    ...(level !== undefined && { [ZSTD_c_compressionLevel]: level }),
  };
  return zlib.createZstdCompress({ chunkSize: CHUNK, params });
}

/** @param what names the archive in messages. Throws ERR_TSRUN_STORE, and what reading `bytes` throws. */
export async function compressToBlob(
  paths: StorePaths,
  bytes: AsyncIterable<Uint8Array>,
  how: Compressor,
  what: string,
): Promise<CompressedBlob> {
  const path = temporaryPath(paths, 'compress');
  try {
    const { digest, size } = await write(path, bytes, how);
    const pinned = await pin(paths, { layers: [], blobs: [digest] });
    const final = blobPath(paths, digest);
    makeDirectories(dirname(final), 0o700);
    renameSync(path, final);
    return { digest, size, [Symbol.dispose]: () => pinned[Symbol.dispose]() };
  } catch (error) {
    rmSync(path, { force: true });
    if (error instanceof TsrunError || !(error instanceof Error && 'syscall' in error)) throw error;
    throw tsrunError('ERR_TSRUN_STORE', { doing: `compress ${what}` }, error);
  }
}

async function write(
  path: string,
  bytes: AsyncIterable<Uint8Array>,
  how: Compressor,
): Promise<{ digest: Digest; size: number }> {
  const hash = new Digester();
  let size = 0;
  const fd = openSync(path, 'wx', 0o600);
  try {
    const compressed = compressor(how);
    // what goes wrong here destroys `compressed`, whose iteration then throws it
    pipeline(Readable.from(bytes), compressed, () => undefined);
    for await (const chunk of compressed as AsyncIterable<Buffer>) {
      for (let at = 0; at < chunk.length; ) at += writeSync(fd, chunk, at);
      hash.update(chunk);
      size += chunk.length;
    }
    await fsyncAsync(fd);
  } finally {
    closeSync(fd);
  }
  return { digest: hash.digest(), size };
}
