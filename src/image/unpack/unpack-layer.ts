/** From compressed bytes to an applied layer: decompress, digest, parse and apply, in one pass. */
import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { DiffId } from '../../spec/image.ts';
import type { Compression } from '../../spec/media-types.ts';
import { type ApplyOptions, LayerApplier } from './apply-layer.ts';
import { decompress } from './decompress.ts';
import { SizeMeter } from './limits.ts';
import { TarReader } from './tar-reader.ts';
import type { UnpackCounts } from './worker-protocol.ts';

/**
 * @param input the layer's blob
 * @throws TsrunError ERR_TSRUN_LAYER_*; what was unpacked until then stays
 */
export async function unpackLayer(
  input: Readable,
  compression: Compression,
  options: ApplyOptions,
): Promise<UnpackCounts> {
  const applier = new LayerApplier(options);
  const reader = new TarReader(applier);
  const meter = new SizeMeter(options.limits);
  const hash = createHash('sha256');
  try {
    for await (const chunk of decompress(input, compression, meter)) {
      hash.update(chunk);
      reader.write(chunk);
    }
    reader.finish();
    const counts = applier.finish();
    return { diffId: `sha256:${hash.digest('hex')}` as DiffId, size: meter.uncompressed, ...counts };
  } finally {
    applier.close();
    input.destroy();
  }
}
