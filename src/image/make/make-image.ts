/**
 * A new image of the store: a layer on top of those of another image, or of nothing, and a configuration. Layer, configuration and
 * manifest take the way of all images (pull/fetch-image.ts), so that everything is verified, unpacked and named as always.
 */
import { read } from 'node:fs';
import { promisify } from 'node:util';
import type { Descriptor, HistoryEntry, ImageConfig, Manifest } from '../../spec/image.ts';
import { OCI_CONFIG, OCI_MANIFEST } from '../../spec/media-types.ts';
import { formatReference, type Reference } from '../../spec/reference.ts';
import { sha256 } from '../../store/hash.ts';
import { danglingReference, type ImageRecord } from '../../store/image-record.ts';
import { ImageStore } from '../../store/images.ts';
import type { StoreHooks } from '../../store/layers.ts';
import type { StorePaths } from '../../store/paths.ts';
import type { LayerUnpacker } from '../layer-sink.ts';
import type { Admission } from '../policy/admit-image.ts';
import type { PullListener } from '../pull/events.ts';
import { ADMIT_OWN, fetchImage } from '../pull/fetch-image.ts';
import type { ImageSource } from '../pull/image-source.ts';
import type { SpooledLayer } from './spool-layer.ts';

export interface MakeImageOptions {
  paths: StorePaths;
  unpacker: LayerUnpacker;
  hooks: StoreHooks;
  emit: PullListener;
  /** The image below; undefined: the layer is all there is. */
  base?: ImageRecord | undefined;
  layer: SpooledLayer;
  /** Without rootfs and history, which are those of `base` and of this layer. */
  config: Omit<ImageConfig, 'rootfs' | 'history'>;
  history: HistoryEntry;
  annotations?: Record<string, string> | undefined;
  /** For what is made of something foreign. */
  admit?: Admission | undefined;
  /** undefined: an image without a name */
  name: Reference | undefined;
}

const readAsync = promisify(read);
const READ_BYTES = 256 * 1024;

/** Throws what fetchImage() throws: the layer may be refused. */
export async function makeImage(options: MakeImageOptions): Promise<ImageRecord> {
  const { paths, unpacker, hooks, emit, layer, name } = options;
  const store = new ImageStore(paths);
  const below = options.base && {
    config: store.config(options.base),
    manifest: store.manifest(options.base),
  };
  const config: ImageConfig = {
    ...options.config,
    rootfs: { type: 'layers', diff_ids: [...(below?.config.rootfs.diff_ids ?? []), layer.diffId] },
    history: [...(below?.config.history ?? []), options.history],
  };
  const configBytes = Buffer.from(JSON.stringify(config));
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: { mediaType: OCI_CONFIG, digest: sha256(configBytes), size: configBytes.length },
    layers: [...(below?.manifest.layers ?? []), layer.descriptor],
    ...(options.annotations && { annotations: options.annotations }),
  };
  const { os, architecture, variant } = config;
  const platform = { os, architecture, ...(variant ? { variant } : {}) };
  return await fetchImage({
    paths,
    hooks,
    source: memorySource(Buffer.from(JSON.stringify(manifest)), configBytes, manifest.config, layer),
    unpacker,
    reference: name === undefined ? danglingReference(manifest.config.digest) : formatReference(name),
    digest: undefined,
    platform,
    isPlatformExplicit: false,
    admit: options.admit ?? ADMIT_OWN,
    emit,
  });
}

/** Blobs of the base image are in the store, and not asked for. */
function memorySource(
  manifest: Buffer,
  configBytes: Buffer,
  config: Descriptor,
  layer: SpooledLayer,
): ImageSource {
  return {
    parallel: 1,
    document: async () => ({ bytes: manifest, contentType: OCI_MANIFEST, claimedDigest: sha256(manifest) }),
    async fill(descriptor, partial, { onProgress, signal }) {
      if (descriptor.digest === config.digest) {
        partial.append(configBytes.subarray(partial.received));
        return;
      }
      if (descriptor.digest !== layer.descriptor.digest)
        throw new Error(`the store has lost ${descriptor.digest}`);
      while (partial.received < descriptor.size) {
        signal.throwIfAborted();
        const buffer = Buffer.allocUnsafe(READ_BYTES);
        const { bytesRead } = await readAsync(layer.fd, buffer, 0, READ_BYTES, partial.received);
        if (bytesRead === 0) return;
        partial.append(buffer.subarray(0, bytesRead));
        onProgress(partial.received);
      }
    },
  };
}
