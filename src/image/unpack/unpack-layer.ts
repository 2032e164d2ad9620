/** From compressed bytes to an applied layer: decompress, digest, parse and apply, in one pass. */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { DiffId } from '../../spec/image.ts';
import { sniffCompression } from '../../spec/media-types.ts';
import { type ApplyOptions, LayerApplier } from './apply-layer.ts';
import { decompress } from './decompress.ts';
import { DEFAULT_LIMITS, SizeMeter } from './limits.ts';
import { TarReader } from './tar-reader.ts';
import type { UnpackCounts } from './worker-protocol.ts';

/**
 * @param blob the layer's blob; its first piece is long enough to tell the compression
 * @param onProgress called with how many bytes of the blob have been unpacked
 * @throws TsrunError ERR_TSRUN_LAYER_*; what was unpacked until then stays
 */
export async function unpackLayer(
  blob: AsyncGenerator<Buffer>,
  options: ApplyOptions,
  onProgress: (bytes: number) => void = () => {},
): Promise<UnpackCounts> {
  const first = await blob.next();
  const head = first.done === true ? Buffer.alloc(0) : first.value;
  // As few pieces ahead as keep the decompressor busy.
  const input = Readable.from(prepended(head, blob), { highWaterMark: 1 });
  const applier = new LayerApplier(options);
  const reader = new TarReader(applier, options.limits.maxMetadata);
  const meter = new SizeMeter(options.limits);
  const hash = createHash('sha256');
  try {
    for await (const chunk of decompress(input, sniffCompression(head), meter)) {
      hash.update(chunk);
      reader.write(chunk);
      onProgress(meter.compressed);
    }
    reader.finish();
    const counts = applier.finish();
    return { diffId: `sha256:${hash.digest('hex')}` as DiffId, size: meter.uncompressed, ...counts };
  } finally {
    applier.close();
    input.destroy();
  }
}

async function* prepended(head: Buffer, rest: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  yield head;
  yield* rest;
}

/** A directory, a file of one byte and a symbolic link, gzipped. */
const SMALL_ARCHIVE =
  'H4sIAAAAAAAC/+3USwqAMAwE0BylN+hok+Y8QunKlR/w+IIrKSIItiDmbZLtMCTJU3UAoCLHBFDOi105gJxQA+u8DBMBb4Q8h/uI5HOT/iPzTf9d2b9EJQfrv7qNzJ8lP7b5/6pP/r9KINdnu39jjKllB3DYP7sADAAA';

/**
 * Reads a small archive to no purpose but that what Node loads and V8 prepares for the first layer is there when it comes: a worker that has just
 * started waits for it. Makes nothing.
 */
export async function rehearse(): Promise<void> {
  const reader = new TarReader({ entry: () => {}, content: () => {}, end: () => {} });
  const hash = createHash('sha256');
  const input = Readable.from([Buffer.from(SMALL_ARCHIVE, 'base64')]);
  for await (const chunk of decompress(input, 'gzip', new SizeMeter(DEFAULT_LIMITS))) {
    hash.update(chunk);
    reader.write(chunk);
  }
  reader.finish();
}
