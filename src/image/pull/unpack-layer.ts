/** One layer: from the bytes of its blob, as they come, to a sealed layer whose DiffID is the one that the image's configuration names. */
import { tsrunError } from '../../errors.ts';
import { shortDigest } from '../../spec/digest.ts';
import type { ChainId, Descriptor, DiffId } from '../../spec/image.ts';
import { layerCompression } from '../../spec/media-types.ts';
import type { LayerStore, NewLayer } from '../../store/layers.ts';
import { orAborted } from '../../sys/or-aborted.ts';
import type { LayerUnpacker, UnpackResult } from '../layer-sink.ts';
import type { OpenedBlob } from './blob-fetches.ts';
import type { PullListener } from './events.ts';

/** A layer of the image, as manifest and configuration describe it together. */
export interface PlannedLayer {
  descriptor: Descriptor;
  diffId: DiffId;
  chainId: ChainId;
  parent: ChainId | undefined;
}

export interface UnpackContext {
  layers: LayerStore;
  unpacker: LayerUnpacker;
  emit: PullListener;
  signal: AbortSignal;
}

/** Throws ERR_TSRUN_MEDIA_TYPE for what is no layer. */
export function requireLayerType(descriptor: Descriptor): void {
  if (layerCompression(descriptor.mediaType) !== undefined) return;
  const expected = 'a tar archive, plain or compressed with gzip or zstd,';
  const what = `layer ${descriptor.digest}`;
  throw tsrunError('ERR_TSRUN_MEDIA_TYPE', { what, mediaType: descriptor.mediaType, expected });
}

/** A new layer with its bytes on the way to the disk; `sealed` resolves when they are there. */
export interface UnpackedLayer {
  layer: NewLayer;
  sealed: Promise<void>;
}

/** `lowers`: diff directories of the layers below, top first. On any failure nothing of the layer is left. */
export async function unpackLayer(
  context: UnpackContext,
  planned: PlannedLayer,
  blob: OpenedBlob,
  lowers: string[],
): Promise<UnpackedLayer> {
  const layer = context.layers.begin();
  try {
    const result = await unpackInto(context, planned, blob, layer, lowers);
    const { descriptor, diffId, chainId, parent } = planned;
    if (result.diffId !== diffId) {
      const what = `layer ${descriptor.digest}`;
      throw tsrunError('ERR_TSRUN_MISMATCH', {
        what,
        property: 'DiffID',
        expected: diffId,
        got: result.diffId,
      });
    }
    const { size, entries, skippedDevices, squashedOwners } = result;
    tellLosses(context.emit, descriptor, result);
    const sealed = layer.seal({
      chainId,
      diffId,
      ...(parent === undefined ? {} : { parent }),
      blobDigest: descriptor.digest,
      size,
      entries,
      skippedDevices,
      squashedOwners,
    });
    sealed.catch(() => {}); // awaited before the layer is published
    return { layer, sealed };
  } catch (error) {
    await layer.abandon();
    throw error;
  }
}

/** What of a layer an ordinary user cannot have. */
function tellLosses(
  emit: PullListener,
  descriptor: Descriptor,
  { skippedDevices, squashedOwners }: UnpackResult,
): void {
  const layer = `of layer ${shortDigest(descriptor.digest)}`;
  if (skippedDevices > 0)
    emit({ type: 'warning', text: `${skippedDevices} device nodes ${layer} were left out` });
  if (squashedOwners > 0)
    emit({ type: 'warning', text: `${squashedOwners} files ${layer} have another owner than in the image` });
}

/** Of the blob: what it unpacks to takes a tenth of a second and more to be written. */
const WRITE_BACK_BYTES = 24 << 20;

async function unpackInto(
  context: UnpackContext,
  planned: PlannedLayer,
  blob: OpenedBlob,
  layer: NewLayer,
  lowers: string[],
): Promise<UnpackResult> {
  const { digest, size: total } = planned.descriptor;
  const { emit, signal, unpacker } = context;
  let written = 0;
  const unpacking = unpacker.open({
    diffDirectory: layer.diffDirectory,
    lowers,
    blob: blob.file,
    onProgress: (current) => {
      if (current - written >= WRITE_BACK_BYTES) {
        written = current;
        layer.writeBack();
      }
      // until the download is over, that is what is told of
      if (blob.isDone()) emit({ type: 'layer', digest, status: 'extracting', current, total });
    },
  });
  try {
    const result = await orAborted(unpacking.finish(), signal);
    await blob.done;
    return result;
  } catch (error) {
    await unpacking.abort();
    // Wrong bytes are why an archive could not be read, rather than the other way round: wait for the verdict on them.
    await blob.done;
    throw error;
  }
}
