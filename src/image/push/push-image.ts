/**
 * Pushing an image of the store to a registry: the very bytes that were pulled or loaded, so that no digest changes on the way.
 * Blobs go first, the manifest last: a push that was cut leaves nothing that calls itself an image.
 */

import { TsrunError, tsrunError } from '../../errors.ts';
import { openClient, type RegistryAccess } from '../../registry/access.ts';
import type { RegistryClient } from '../../registry/client.ts';
import { putManifest } from '../../registry/put-manifest.ts';
import { accessTo } from '../../registry/registry-policy.ts';
import { uploadBlob } from '../../registry/upload-blob.ts';
import type { Descriptor, Digest, Manifest } from '../../spec/image.ts';
import { DOCKER_CONFIG, DOCKER_MANIFEST, isForeignLayer, OCI_MANIFEST } from '../../spec/media-types.ts';
import { formatReference, parseReference, type Reference, repositoryName } from '../../spec/reference.ts';
import { BlobStore } from '../../store/blobs.ts';
import { logImageEvent } from '../../store/event-log.ts';
import { type ImageRecord, isDangling } from '../../store/image-record.ts';
import { ImageStore } from '../../store/images.ts';
import type { StorePaths } from '../../store/paths.ts';
import { pin } from '../../store/pins.ts';
import { Gate } from '../gate.ts';
import { isBlobIntact } from '../pull/blob-fetches.ts';
import type { PullListener } from '../pull/events.ts';

export interface PushOptions extends RegistryAccess {
  paths: StorePaths;
  record: ImageRecord;
  destination: Reference;
  onEvent?: PullListener | undefined;
  signal?: AbortSignal | undefined;
}

/** As many as are fetched at once. */
const PARALLEL_BLOBS = 3;
/** A registry that does not find a blob in two other repositories will hardly find it in a third. */
const MOUNTS_TRIED = 2;

/** Digest of a blob → other repositories of `destination`'s registry that have, or had, it. */
function knownElsewhere(store: ImageStore, destination: Reference): Map<Digest, string[]> {
  const places = new Map<Digest, string[]>();
  for (const record of store.list()) {
    if (isDangling(record)) continue;
    const { registry, repository } = parseReference(record.reference);
    if (registry !== destination.registry || repository === destination.repository) continue;
    for (const digest of [record.imageId, ...record.layers.map((layer) => layer.blobDigest)]) {
      const known = places.get(digest) ?? [];
      if (!known.includes(repository) && known.length < MOUNTS_TRIED)
        places.set(digest, [...known, repository]);
    }
  }
  return places;
}

/** The manifest's bytes, verified: what they are called is their digest. Throws ERR_TSRUN_STORE. */
function readManifest(blobs: BlobStore, record: ImageRecord): Uint8Array {
  const text = blobs.readVerifiedText(record.manifestDigest);
  if (text !== undefined) return Buffer.from(text);
  throw missing(record, `manifest ${record.manifestDigest}`);
}

function missing(record: ImageRecord, what: string): Error {
  const doing = `read ${what} of ${record.reference}, which the store has lost or which is damaged`;
  return tsrunError('ERR_TSRUN_STORE', { doing, hint: `tsrun pull ${record.reference}` });
}

/** Manifests need not say what they are; their configuration does. */
function typeOf(manifest: Manifest): string {
  return manifest.mediaType ?? (manifest.config.mediaType === DOCKER_CONFIG ? DOCKER_MANIFEST : OCI_MANIFEST);
}

class Push {
  readonly #options: PushOptions;
  readonly #client: RegistryClient;
  readonly #blobs: BlobStore;
  readonly #elsewhere: Map<Digest, string[]>;
  readonly #signal: AbortSignal;
  readonly #gate = new Gate(PARALLEL_BLOBS);

  constructor(options: PushOptions, client: RegistryClient, store: ImageStore, signal: AbortSignal) {
    this.#options = options;
    this.#client = client;
    this.#blobs = new BlobStore(options.paths);
    this.#elsewhere = knownElsewhere(store, options.destination);
    this.#signal = signal;
  }

  async blob(descriptor: Descriptor): Promise<void> {
    const { onEvent: emit = () => {}, record, destination } = this.#options;
    const { digest, size: total } = descriptor;
    await this.#gate.enter();
    try {
      this.#signal.throwIfAborted();
      const outcome = await uploadBlob(this.#client, descriptor, {
        repository: destination.repository,
        mountFrom: this.#elsewhere.get(digest) ?? [],
        read: (start, end) => {
          // Only now: a registry that has the blob does not need ours.
          if (this.#blobs.size(digest) !== total) throw missing(record, `blob ${digest}`);
          return this.#blobs.read(digest, { start, end });
        },
        signal: this.#signal,
        onProgress: (current) => emit({ type: 'layer', digest, status: 'pushing', current, total }),
        onRetry: (failure, delayMs) => emit({ type: 'retry', digest, problem: failure.message, delayMs }),
      });
      emit({ type: 'layer', digest, status: outcome.status === 'uploaded' ? 'pushed' : outcome.status });
    } catch (error) {
      // The registry's words would be about digests; what helps is to know whose fault it is.
      const isRefused = error instanceof TsrunError && error.code === 'ERR_TSRUN_REGISTRY_RESPONSE';
      if (isRefused && !(await isBlobIntact(this.#blobs, digest))) throw missing(record, `blob ${digest}`);
      throw error;
    } finally {
      this.#gate.leave();
    }
  }
}

/**
 * Pushes the image, and returns the digest of its manifest, which is the one it has in the store. Layers that are not to be distributed
 * stay where they are. Throws ERR_TSRUN_STORE when the store has lost a part that the registry lacks, ERR_TSRUN_REGISTRY_….
 */
export async function pushImage(options: PushOptions): Promise<Digest> {
  const { paths, record, destination, onEvent: emit = () => {} } = options;
  const store = new ImageStore(paths);
  const manifest = store.manifest(record);
  const bytes = readManifest(new BlobStore(paths), record);
  const parts = [...manifest.layers.filter((layer) => !isForeignLayer(layer.mediaType)), manifest.config];
  using _pin = await pin(paths, { layers: [], blobs: parts.map((part) => part.digest) });
  const stop = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
  emit({ type: 'pushing', to: repositoryName(destination) });
  const onRetry = (failure: Error, delayMs: number): void =>
    emit({ type: 'retry', problem: failure.message, delayMs });
  const access = await accessTo(destination, options);
  const client = openClient(destination.registry, access, { onRetry, signal });
  try {
    const push = new Push(options, client, store, signal);
    const unique = [...new Map(parts.map((part) => [part.digest, part])).values()];
    const uploads = unique.map((part) => push.blob(part));
    try {
      await Promise.all(uploads);
    } catch (error) {
      stop.abort(error);
      await Promise.allSettled(uploads);
      throw error;
    }
    const { repository } = destination;
    const reference = destination.digest ?? destination.tag;
    const digest = record.manifestDigest;
    await putManifest(client, { repository, reference, mediaType: typeOf(manifest), bytes, digest });
    logImageEvent(paths, 'push', record.imageId, formatReference(destination));
    emit({ type: 'pushed', reference: formatReference(destination), digest, size: bytes.length });
    return digest;
  } finally {
    await client.close();
  }
}
