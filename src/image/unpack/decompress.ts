/**
 * Compressed bytes in, archive out. zlib works on another thread: one buffer is inflated while the last one is unpacked, so the
 * buffers are large.
 *
 * gzip: several members in a row are one stream, as are eStargz's; zeros after the last one are padding. What else follows is refused,
 * as by the engines in Go (gzip(1) warns, and ignores it).
 */
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { tsrunError } from '../../errors.ts';
import type { Compression } from '../../spec/media-types.ts';
import { tellOfBuffer } from '../../sys/collect-buffers.ts';
import { decompressZstd } from './decompress-zstd.ts';
import type { SizeMeter } from './limits.ts';

const CHUNK = 1 << 20;
/** Pieces of the archive that wait to be unpacked. */
const AHEAD = 3;
/** Compressed bytes that wait to be inflated. */
const INPUT_AHEAD = 1 << 20;

/**
 * Yields the archive and counts both sides of it.
 * @throws (while iterated) TsrunError ERR_TSRUN_LAYER_COMPRESSION or ERR_TSRUN_LAYER_LIMIT
 */
export async function* decompress(
  input: Readable,
  compression: Compression,
  meter: SizeMeter,
): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of decompressor(input, compression, meter)) {
      meter.uncompressed += chunk.length;
      meter.check();
      tellOfBuffer(chunk.length);
      yield chunk;
    }
  } catch (error) {
    if (!isZlibError(error)) throw error;
    throw tsrunError('ERR_TSRUN_LAYER_COMPRESSION', { compression, problem: error.message }, error);
  }
}

function decompressor(input: Readable, compression: Compression, meter: SizeMeter): AsyncIterable<Buffer> {
  const count = (bytes: number): void => {
    meter.compressed += bytes;
  };
  switch (compression) {
    case 'gzip':
      return gunzip(input, count);
    case 'zstd':
      return decompressZstd(input, CHUNK, count);
    case 'none':
      return counted(input, count);
  }
}

async function* gunzip(input: Readable, onInput: (bytes: number) => void): AsyncGenerator<Buffer> {
  // In object mode pieces stay as they are; else those that wait would be copied into one.
  const queues = {
    readableObjectMode: true,
    readableHighWaterMark: AHEAD,
    writableHighWaterMark: INPUT_AHEAD,
  };
  const stream = createGunzip({ chunkSize: CHUNK, ...queues });
  input.on('error', (error) => stream.destroy(error));
  input.pipe(stream);
  let read = 0;
  for await (const chunk of stream) {
    onInput(stream.bytesWritten - read);
    read = stream.bytesWritten;
    yield chunk as Buffer;
  }
}

async function* counted(input: Readable, onInput: (bytes: number) => void): AsyncGenerator<Buffer> {
  for await (const chunk of input) {
    onInput((chunk as Buffer).length);
    yield chunk as Buffer;
  }
}

const isZlibError = (error: unknown): error is Error =>
  error instanceof Error && 'code' in error && /^(?:Z_|ZSTD_|ERR_ZLIB)/.test(String(error.code));
