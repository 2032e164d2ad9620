/**
 * Compressed bytes in, archive out. zlib works on another thread: one buffer is inflated while the last one is unpacked, so the
 * buffers are large.
 *
 * gzip: several members in a row are one stream, as are eStargz's; zeros after the last one are padding. What else follows is refused,
 * as by the engines in Go (gzip(1) warns, and ignores it).
 */
import type { Readable } from 'node:stream';
import * as zlib from 'node:zlib';
import { tsrunError } from '../../errors.ts';
import type { Compression } from '../../spec/media-types.ts';
import type { SizeMeter } from './limits.ts';

const CHUNK = 1 << 20;

/** Yields the archive and counts both sides of it. @throws (while iterated) TsrunError ERR_TSRUN_LAYER_COMPRESSION */
export async function* decompress(
  input: Readable,
  compression: Compression,
  meter: SizeMeter,
): AsyncGenerator<Buffer> {
  const stream = decompressor(compression);
  const output = stream ?? input;
  if (stream) {
    input.on('error', (error) => stream.destroy(error));
    input.pipe(stream);
  }
  try {
    for await (const chunk of output as AsyncIterable<Buffer>) {
      meter.uncompressed += chunk.length;
      meter.compressed = stream?.bytesWritten ?? meter.uncompressed;
      meter.check();
      yield chunk;
    }
  } catch (error) {
    if (!isZlibError(error)) throw error;
    throw tsrunError('ERR_TSRUN_LAYER_COMPRESSION', { compression, problem: error.message }, error);
  }
}

function decompressor(compression: Compression): zlib.Gunzip | zlib.ZstdDecompress | undefined {
  switch (compression) {
    case 'gzip':
      return zlib.createGunzip({ chunkSize: CHUNK });
    case 'zstd':
      return zlib.createZstdDecompress({ chunkSize: CHUNK });
    case 'none':
      return undefined;
  }
}

const isZlibError = (error: unknown): error is Error =>
  error instanceof Error && 'code' in error && /^(?:Z_|ZSTD_|ERR_ZLIB)/.test(String(error.code));
