/** A layer's archive on its way into the store, when nobody has said what its digests are. */
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { PassThrough, type Readable } from 'node:stream';
import type { Descriptor, DiffId, Digest } from '../../spec/image.ts';
import { type Compression, sniffCompression } from '../../spec/media-types.ts';
import { Digester } from '../../store/hash.ts';
import type { StorePaths } from '../../store/paths.ts';
import { temporaryPath } from '../../store/temporary.ts';
import { decompress } from '../unpack/decompress.ts';
import { NO_SIZE_LIMITS, SizeMeter, type UnpackLimits } from '../unpack/limits.ts';

const LAYER_TYPES: Readonly<Record<Compression, string>> = {
  none: 'application/vnd.oci.image.layer.v1.tar',
  gzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  zstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
};

/** Bytes in a file without a name, which goes when it is disposed of. */
export interface SpooledLayer extends Disposable {
  readonly fd: number;
  readonly descriptor: Descriptor;
  readonly diffId: DiffId;
}

/** Enough to recognise every compression. */
const HEAD_BYTES = 6;

/** Keeps the bytes as they are, compressed or not. Throws ERR_TSRUN_LAYER_COMPRESSION, and what reading and writing throw. */
export async function spoolLayer(
  paths: StorePaths,
  input: AsyncIterable<Uint8Array>,
  limits = NO_SIZE_LIMITS,
): Promise<SpooledLayer> {
  const path = temporaryPath(paths, 'spool');
  const fd = openSync(path, 'wx+', 0o600);
  rmSync(path);
  try {
    return { ...(await fill(fd, input, limits)), fd, [Symbol.dispose]: () => closeSync(fd) };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

async function fill(
  fd: number,
  input: AsyncIterable<Uint8Array>,
  limits: UnpackLimits,
): Promise<{ descriptor: Descriptor; diffId: DiffId }> {
  const hash = new Digester();
  let head = Buffer.alloc(0);
  let size = 0;
  let plain: { stream: PassThrough; diffId: Promise<DiffId>; compression: Compression } | undefined;
  const feed = async (chunk: Uint8Array): Promise<void> => {
    if (!plain) {
      head = Buffer.concat([head, chunk]);
      if (head.length < HEAD_BYTES) return;
      plain = startHashing(limits, sniffCompression(head));
      chunk = head;
    }
    if (!plain.stream.write(chunk)) await drained(plain.stream, plain.diffId);
  };
  for await (const chunk of input) {
    hash.update(chunk);
    for (let at = 0; at < chunk.length; ) at += writeSync(fd, chunk, at);
    size += chunk.length;
    await feed(chunk);
  }
  plain ??= startHashing(limits, 'none', head);
  plain.stream.end();
  const diffId = await plain.diffId;
  const descriptor = { mediaType: LAYER_TYPES[plain.compression], digest: hash.digest(), size };
  return { descriptor, diffId };
}

function startHashing(limits: UnpackLimits, compression: Compression, first?: Uint8Array) {
  const stream = new PassThrough({ highWaterMark: 1 << 20 });
  if (first?.length) stream.write(first);
  const diffId = digestOfPlain(stream, compression, limits);
  diffId.catch(() => stream.destroy()); // whoever awaits it is told
  return { stream, diffId, compression };
}

async function digestOfPlain(
  stream: Readable,
  compression: Compression,
  limits: UnpackLimits,
): Promise<DiffId> {
  const hash = new Digester();
  for await (const chunk of decompress(stream, compression, new SizeMeter(limits))) hash.update(chunk);
  return hash.digest() as Digest as DiffId;
}

/** Waits until there is room again, or fails with what went wrong on the other side. */
async function drained(stream: PassThrough, diffId: Promise<DiffId>): Promise<void> {
  await Promise.race([new Promise<void>((resolve) => stream.once('drain', resolve)), diffId]);
}
