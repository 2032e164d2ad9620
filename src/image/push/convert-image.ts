/**
 * An image of the store with its layers compressed otherwise, or described in the other engine's words: `push --compression-format`,
 * `--compression-level`, `--format`. What it unpacks to stays, and so do its configuration and its id: DiffIDs are those of the archives
 * without compression. Manifest and layers are new blobs, which nothing in the store refers to once they are pushed.
 */
import { parseDocument } from '../../spec/document.ts';
import type { Descriptor, Manifest } from '../../spec/image.ts';
import {
  DOCKER_CONFIG,
  DOCKER_MANIFEST,
  isForeignLayer,
  layerCompression,
  layerType,
  OCI_CONFIG,
  OCI_MANIFEST,
} from '../../spec/media-types.ts';
import { BlobStore } from '../../store/blobs.ts';
import { sha256 } from '../../store/hash.ts';
import type { ImageRecord, LayerLink } from '../../store/image-record.ts';
import type { StorePaths } from '../../store/paths.ts';
import { pin } from '../../store/pins.ts';
import { StoredImage } from '../archive/stored-image.ts';
import type { ImageInTransit } from '../copy-image.ts';
import { Gate } from '../gate.ts';
import type { PullListener } from '../pull/events.ts';
import { type Compressor, compressToBlob } from './compress-to-blob.ts';

export type ManifestKind = 'oci' | 'docker';

export interface Conversion {
  /** Layers that are not in it are compressed anew. undefined: each stays in its own, if the manifest has a word for that. */
  compression: Compressor['format'] | undefined;
  /** Layers that are in it already are compressed anew as well, at this level. */
  level: number | undefined;
  /** undefined: as it is, unless a layer is in zstd, for which docker's manifests have no word */
  manifest: ManifestKind | undefined;
}

/** Notes about where things are in the compressed bytes, of which there are others now: zstd:chunked's and eStargz's. */
const ABOUT_BYTES = /^io\.github\.containers\.zstd-chunked\.|^containerd\.io\/snapshot\/stargz\//;
const PARALLEL = 2;

const kindOf = (manifest: Manifest): ManifestKind =>
  manifest.mediaType === DOCKER_MANIFEST || manifest.config.mediaType === DOCKER_CONFIG ? 'docker' : 'oci';

/** The same layer in the words of `kind`. */
function describedAs(kind: ManifestKind, layer: Descriptor): Descriptor {
  const compression = layerCompression(layer.mediaType) ?? 'none';
  return { ...layer, mediaType: layerType(kind, compression, isForeignLayer(layer.mediaType)) };
}

/** What a layer has to be compressed with; undefined when it stays as it is. */
function compressorFor(layer: Descriptor, conversion: Conversion): Compressor | undefined {
  if (isForeignLayer(layer.mediaType)) return undefined;
  const { compression, level, manifest } = conversion;
  const now = layerCompression(layer.mediaType);
  const format = compression ?? (now === 'zstd' && manifest === 'docker' ? 'gzip' : undefined);
  return format === undefined || (format === now && level === undefined) ? undefined : { format, level };
}

/**
 * Makes what is to be pushed, and keeps it until it is disposed of. Throws ERR_TSRUN_STORE for what the store has lost or what does not fit
 * into it, ERR_TSRUN_MISMATCH.
 */
export async function convertImage(
  paths: StorePaths,
  record: ImageRecord,
  conversion: Conversion,
  emit: PullListener,
): Promise<ImageInTransit> {
  const stored = new StoredImage(paths, record);
  const text = stored.document(record.manifestDigest);
  const document = parseDocument(text, undefined, `the manifest of ${record.reference}`);
  if (document.kind !== 'manifest') throw new Error(`${record.manifestDigest} is an index`);
  using pins = new DisposableStack();
  const gate = new Gate(PARALLEL);
  const one = async (layer: Descriptor, link: LayerLink | undefined): Promise<Descriptor> => {
    const compressor = compressorFor(layer, conversion);
    if (compressor === undefined || link === undefined) return layer;
    await gate.enter();
    try {
      emit({ type: 'layer', digest: layer.digest, status: 'compressing' });
      const { bytes } = await stored.archive(link);
      const made = await compressToBlob(
        paths,
        bytes,
        compressor,
        `layer ${layer.digest} of ${record.reference}`,
      );
      pins.use(made);
      emit({ type: 'layer', digest: layer.digest, status: 'compressed' });
      const kind = layerType(kindOf(document.manifest), compressor.format, false);
      return withoutNotes({ ...layer, mediaType: kind, digest: made.digest, size: made.size });
    } finally {
      gate.leave();
    }
  };
  const making = document.manifest.layers.map((layer, i) => one(layer, record.layers[i]));
  await Promise.allSettled(making);
  const layers = await Promise.all(making);
  const manifest = assemble(text, document.manifest, layers, conversion.manifest);
  const bytes = Buffer.from(manifest);
  const manifestDigest = sha256(bytes);
  pins.use(await pin(paths, { layers: [], blobs: [manifestDigest, record.imageId] }));
  new BlobStore(paths).put(bytes, manifestDigest, `the manifest of ${record.reference}`);
  const kept = pins.move();
  return {
    record: {
      ...record,
      digest: manifestDigest,
      manifestDigest,
      layers: record.layers.map((link, i) => ({
        ...link,
        blobDigest: layers[i]?.digest ?? link.blobDigest,
        size: layers[i]?.size ?? link.size,
      })),
    },
    [Symbol.dispose]: () => kept[Symbol.dispose](),
  };
}

function withoutNotes({ annotations, ...layer }: Descriptor): Descriptor {
  const kept = Object.entries(annotations ?? {}).filter(([name]) => !ABOUT_BYTES.test(name));
  return kept.length === 0 ? layer : { ...layer, annotations: Object.fromEntries(kept) };
}

/** The manifest's text; that of the store, byte for byte, when nothing is different. */
function assemble(
  text: string,
  old: Manifest,
  layers: readonly Descriptor[],
  wanted: ManifestKind | undefined,
): string {
  const now = kindOf(old);
  const needsOci = layers.some(({ mediaType }) => layerCompression(mediaType) === 'zstd');
  const kind = wanted ?? (needsOci ? 'oci' : now);
  const isSame = layers.every(({ digest }, i) => digest === old.layers[i]?.digest);
  if (kind === now && isSame) return text;
  const types = kind === 'oci' ? [OCI_MANIFEST, OCI_CONFIG] : [DOCKER_MANIFEST, DOCKER_CONFIG];
  const manifest: Manifest = {
    ...old,
    mediaType: types[0] ?? '',
    config: { ...old.config, mediaType: types[1] ?? '' },
    layers: layers.map((layer) => describedAs(kind, layer)),
  };
  return JSON.stringify(manifest);
}
