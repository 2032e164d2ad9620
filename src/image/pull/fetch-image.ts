/** An image from any source into the store: documents, configuration, layers, and last of all its name. */
import { TsrunError, tsrunError } from '../../errors.ts';
import { chainIds } from '../../spec/digest.ts';
import { parseImageConfig } from '../../spec/document.ts';
import type { Descriptor, Digest, ImageConfig, Manifest, Platform } from '../../spec/image.ts';
import { isConfigType, layerCompression } from '../../spec/media-types.ts';
import { formatPlatform, platformDistance, requirePlatform } from '../../spec/platform.ts';
import { BlobStore } from '../../store/blobs.ts';
import { sha256 } from '../../store/hash.ts';
import type { ImageRecord } from '../../store/image-record.ts';
import { ImageStore } from '../../store/images.ts';
import { LayerStore, type StoreHooks } from '../../store/layers.ts';
import type { StorePaths } from '../../store/paths.ts';
import { pin } from '../../store/pins.ts';
import { sweepTemporaries } from '../../store/temporary.ts';
import type { LayerUnpacker } from '../layer-sink.ts';
import type { Admission } from '../policy/admit-image.ts';
import { BlobFetches } from './blob-fetches.ts';
import type { PullListener } from './events.ts';
import { type FetchedDocuments, fetchDocuments } from './fetch-documents.ts';
import { fetchLayers } from './fetch-layers.ts';
import type { ImageSource } from './image-source.ts';
import { requireConfigType } from './require-config-type.ts';
import { hasAmpleSpace, requireSpace } from './require-space.ts';
import type { PlannedLayer } from './unpack-layer.ts';

export interface FetchImageOptions {
  paths: StorePaths;
  hooks: StoreHooks;
  source: ImageSource;
  unpacker: LayerUnpacker;
  /** The full reference that the image gets as its name. */
  reference: string;
  /** The digest that the reference has. */
  digest: Digest | undefined;
  platform: Platform;
  /** The user asked for this platform: another one is an error, and not only worth a warning. */
  isPlatformExplicit: boolean;
  /** Throws when the image may not be used: asked once its manifest is known, before anything is kept. */
  admit: Admission;
  emit: PullListener;
  signal?: AbortSignal | undefined;
}

/** For what comes with tsrun, or is made of what is in the store. */
export const ADMIT_OWN: Admission = async () => {};

/** What is verified and used already, and on its way to the disk: awaited before the image gets its name. */
type Writes = Promise<unknown>[];

function later(writes: Writes, write: Promise<unknown>): void {
  write.catch(() => {}); // whoever awaits all of them is told
  writes.push(write);
}

/** The verified text of a small blob that the store lacks. */
async function fetchText(
  options: FetchImageOptions,
  { blobs, writes }: { blobs: BlobStore; writes: Writes },
  descriptor: Descriptor,
  what: string,
): Promise<string> {
  const { source, emit, signal = new AbortController().signal } = options;
  const partial = await blobs.openPartial(descriptor, { what, signal });
  if (partial === undefined) return blobs.readText(descriptor.digest);
  const letGo = (error: unknown): never => {
    partial.close(error);
    throw error;
  };
  try {
    await source.fill(descriptor, partial, {
      signal,
      onProgress: () => {},
      onRetry: (failure, delayMs) => emit({ type: 'retry', problem: failure.message, delayMs }),
    });
    const text = partial.readText();
    later(writes, partial.complete().catch(letGo));
    return text;
  } catch (error) {
    return letGo(error);
  }
}

async function fetchConfig(
  options: FetchImageOptions,
  store: { blobs: BlobStore; writes: Writes },
  config: Descriptor,
): Promise<ImageConfig> {
  const { blobs } = store;
  const what = `the config of ${options.reference}`;
  requireConfigType(config, options.reference);
  const kept = blobs.readVerifiedText(config.digest);
  if (kept !== undefined) return parseImageConfig(kept, what);
  blobs.remove(config.digest);
  return parseImageConfig(await fetchText(options, store, config, what), what);
}

/** Manifest and configuration must speak of the same layers. */
function planLayers(reference: string, manifest: Manifest, config: ImageConfig): PlannedLayer[] {
  const diffIds = config.rootfs.diff_ids;
  if (diffIds.length !== manifest.layers.length) {
    const problem = `its manifest has ${manifest.layers.length} layers, its config ${diffIds.length}`;
    throw tsrunError('ERR_TSRUN_DOCUMENT', { what: `image ${reference}`, problem });
  }
  const chain = chainIds(diffIds, sha256);
  return manifest.layers.flatMap((descriptor, i) => {
    const [diffId, chainId] = [diffIds[i], chain[i]];
    return diffId === undefined || chainId === undefined
      ? []
      : [{ descriptor, diffId, chainId, parent: chain[i - 1] }];
  });
}

function checkPlatform(options: FetchImageOptions, config: ImageConfig): string {
  const { reference, platform: wanted } = options;
  const offered = formatPlatform(config);
  if (options.isPlatformExplicit || config.os !== wanted.os) requirePlatform(reference, wanted, config);
  if (platformDistance(wanted, config) === undefined) {
    const text = `${reference} is for ${offered}, and this machine is ${formatPlatform(wanted)}`;
    options.emit({ type: 'warning', text });
  }
  return offered;
}

function makeRecord(
  options: FetchImageOptions,
  fetched: FetchedDocuments,
  planned: PlannedLayer[],
  platform: string,
): ImageRecord {
  return {
    reference: options.reference,
    digest: fetched.rootDigest,
    manifestDigest: fetched.manifestDigest,
    imageId: fetched.manifest.config.digest,
    platform,
    layers: planned.map(({ descriptor, diffId, chainId }) => ({
      chainId,
      diffId,
      blobDigest: descriptor.digest,
      size: descriptor.size,
    })),
    pulledAt: new Date().toISOString(),
  };
}

/**
 * Fetches what the store lacks of an image and gives it its name; verifies everything. Can be stopped at any instant, and repeated.
 * Throws ERR_TSRUN_MISMATCH, ERR_TSRUN_DOCUMENT, ERR_TSRUN_MEDIA_TYPE, ERR_TSRUN_PLATFORM, ERR_TSRUN_STORE, and what the source and
 * the unpacker throw.
 */
export async function fetchImage(options: FetchImageOptions): Promise<ImageRecord> {
  try {
    return await fetchAll(options);
  } catch (error) {
    throw explainSystemError(options, error);
  }
}

/** What the system refused while the store was written, in our words. */
function explainSystemError({ reference, paths }: FetchImageOptions, error: unknown): unknown {
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (error instanceof TsrunError || syscall === undefined) return error;
  const isFull = code === 'ENOSPC' || code === 'EDQUOT';
  const hint = isFull
    ? `make room (df -h ${paths.root}, or df -i) and repeat the command; it goes on where it stopped`
    : undefined;
  return tsrunError(
    'ERR_TSRUN_STORE',
    { doing: `put ${reference} into the store ${paths.root}`, hint },
    error,
  );
}

async function fetchAll(options: FetchImageOptions): Promise<ImageRecord> {
  const { paths, hooks, source, reference, emit, signal } = options;
  await sweepTemporaries(paths, hooks.removeTree);
  const blobs = new BlobStore(paths);
  let started = prepareMeanwhile(options).catch(() => {}); // fetchLayers() asks again
  await using _unpacker = { [Symbol.asyncDispose]: () => started.then(() => options.unpacker.close()) };
  const fetched = await fetchDocuments(source, blobs, options);
  await options.admit(fetched.manifestDigest);
  const { manifest, documents } = fetched;
  const blobDigests = [
    ...documents.map((d) => d.digest),
    ...[manifest.config, ...manifest.layers].map((d) => d.digest),
  ];
  using _blobs = await pin(paths, { layers: [], blobs: blobDigests });
  const fetches = new BlobFetches({ blobs, source, emit, signal });
  const writes: Writes = [];
  const config = fetchConfig(options, { blobs, writes }, manifest.config);
  config.catch(() => {}); // planImage() awaits it
  const comes = manifest.layers.some(({ digest }) => !blobs.has(digest));
  startEarly(fetches, manifest, blobs, emit);
  // What unpacks layers starts while they and their configuration are waited for. If it cannot, fetchLayers() finds that out, too.
  started = Promise.all([started, onceSent()])
    .then(() => {
      if (comes) options.unpacker.expect(manifest.layers);
    })
    .catch(() => {});
  later(writes, putDocuments(blobs, fetched, reference));
  try {
    const layers = new LayerStore(paths, hooks);
    const { planned, platform } = await planImage(options, manifest, config, { blobs, layers }, fetches);
    using _layers = await pin(paths, { layers: planned.map((l) => l.chainId), blobs: [] });
    const record = makeRecord(options, fetched, planned, platform);
    const images = new ImageStore(paths);
    await using file = images.prepare(record);
    await fetchLayers({ blobs, layers, unpacker: options.unpacker, emit }, fetches, planned);
    await Promise.all(writes);
    await images.putPrepared(record, file);
    return record;
  } catch (error) {
    await Promise.allSettled(writes);
    throw error;
  }
}

/** What was asked for just now has been sent when this resolves: a connection is made in one turn, and takes the request in the next. */
async function onceSent(): Promise<void> {
  for (let turn = 0; turn < 2; turn++) await new Promise(setImmediate);
}

/** While the registry looks for the manifest. */
async function prepareMeanwhile({ source, unpacker }: FetchImageOptions): Promise<void> {
  await source.reached?.();
  await onceSent();
  await unpacker.prepare();
}

/** In the next turn: what was asked for goes out first. */
async function putDocuments(
  blobs: BlobStore,
  { documents }: FetchedDocuments,
  reference: string,
): Promise<void> {
  await new Promise(setImmediate);
  const what = `the manifest of ${reference}`;
  await Promise.all(documents.map(({ digest, bytes }) => blobs.putApart(bytes, digest, what)));
}

/**
 * Blobs that will be needed whatever the configuration says are asked for together with it, unless the manifest looks as if the image could
 * not be used, or the disk as if it might be too small: that is told before anything is fetched.
 */
function startEarly(fetches: BlobFetches, manifest: Manifest, blobs: BlobStore, emit: PullListener): void {
  const missing = manifest.layers.filter(({ digest }) => !blobs.has(digest));
  const areLayers = manifest.layers.every(({ mediaType }) => layerCompression(mediaType) !== undefined);
  if (!areLayers || !isConfigType(manifest.config.mediaType) || !hasAmpleSpace(missing, blobs)) return;
  for (const { digest } of missing) emit({ type: 'layer', digest, status: 'waiting' });
  for (const descriptor of missing) fetches.open(descriptor).catch(() => {}); // fetchLayers() awaits it
}

/** Waits for the configuration. If the image cannot be used, what is fetched of its layers is given up. */
async function planImage(
  options: FetchImageOptions,
  manifest: Manifest,
  fetching: Promise<ImageConfig>,
  store: { blobs: BlobStore; layers: LayerStore },
  fetches: BlobFetches,
): Promise<{ planned: PlannedLayer[]; platform: string }> {
  const { reference } = options;
  try {
    const config = await fetching;
    const platform = checkPlatform(options, config);
    const planned = planLayers(reference, manifest, config);
    requireSpace(reference, planned, store);
    return { planned, platform };
  } catch (error) {
    fetches.stop(error, false);
    await fetches.settled();
    throw error;
  }
}
