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
import { fetchAgain } from '../../store/fetch-again.ts';
import { type ImageRecord, isDangling } from '../../store/image-record.ts';
import { ImageStore } from '../../store/images.ts';
import type { StorePaths } from '../../store/paths.ts';
import { pin } from '../../store/pins.ts';
import { Gate } from '../gate.ts';
import { isBlobIntact } from '../pull/blob-fetches.ts';
import type { PullListener } from '../pull/events.ts';

/** An index or manifest, and the blobs that it names. */
export interface DocumentToPush {
  digest: Digest;
  mediaType: string;
  bytes: Uint8Array;
  parts: readonly Descriptor[];
}

interface PushPlace extends RegistryAccess {
  paths: StorePaths;
  destination: Reference;
  onEvent?: PullListener | undefined;
  signal?: AbortSignal | undefined;
}

export interface PushOptions extends PushPlace {
  record: ImageRecord;
}

export interface PushDocumentsOptions extends PushPlace {
  /** How messages call it. */
  label: string;
  /** The last one gets the tag of `destination`; the others are what it leads to. */
  documents: readonly DocumentToPush[];
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
  throw missing(record.reference, `manifest ${record.manifestDigest}`, 'lost'); // a pull heals it
}

function missing(label: string, what: string, state: 'lost' | 'damaged'): Error {
  const doing = `read ${what} of ${label}, which the store has lost or which is damaged`;
  return tsrunError('ERR_TSRUN_STORE', { doing, hint: fetchAgain(label, state) });
}

/** Manifests need not say what they are; their configuration does. */
function typeOf(manifest: Manifest): string {
  return manifest.mediaType ?? (manifest.config.mediaType === DOCKER_CONFIG ? DOCKER_MANIFEST : OCI_MANIFEST);
}

class Push {
  readonly #options: PushDocumentsOptions;
  readonly #client: RegistryClient;
  readonly #blobs: BlobStore;
  readonly #elsewhere: Map<Digest, string[]>;
  readonly #signal: AbortSignal;
  readonly #gate = new Gate(PARALLEL_BLOBS);

  constructor(options: PushDocumentsOptions, client: RegistryClient, store: ImageStore, signal: AbortSignal) {
    this.#options = options;
    this.#client = client;
    this.#blobs = new BlobStore(options.paths);
    this.#elsewhere = knownElsewhere(store, options.destination);
    this.#signal = signal;
  }

  async blob(descriptor: Descriptor): Promise<void> {
    const { onEvent: emit = () => {}, label, destination } = this.#options;
    const { digest, size: total } = descriptor;
    await this.#gate.enter();
    try {
      this.#signal.throwIfAborted();
      const outcome = await uploadBlob(this.#client, descriptor, {
        repository: destination.repository,
        mountFrom: this.#elsewhere.get(digest) ?? [],
        read: (start, end) => {
          // Only now: a registry that has the blob does not need ours.
          const size = this.#blobs.size(digest);
          if (size !== total) throw missing(label, `blob ${digest}`, size === undefined ? 'lost' : 'damaged');
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
      if (isRefused && !(await isBlobIntact(this.#blobs, digest)))
        throw missing(label, `blob ${digest}`, 'damaged');
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
  const { paths, record } = options;
  const manifest = new ImageStore(paths).manifest(record);
  const document: DocumentToPush = {
    digest: record.manifestDigest,
    mediaType: typeOf(manifest),
    bytes: readManifest(new BlobStore(paths), record),
    parts: [...manifest.layers.filter((layer) => !isForeignLayer(layer.mediaType)), manifest.config],
  };
  await pushDocuments({ ...options, label: record.reference, documents: [document] });
  logImageEvent(paths, 'push', record.imageId, formatReference(options.destination));
  return record.manifestDigest;
}

/** Pushes all blobs that the documents name, then the documents in their order. Throws as pushImage() does. */
export async function pushDocuments(options: PushDocumentsOptions): Promise<void> {
  const { paths, destination, documents, onEvent: emit = () => {} } = options;
  const parts = documents.flatMap((document) => document.parts);
  using _pin = await pin(paths, { layers: [], blobs: parts.map((part) => part.digest) });
  const stop = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
  emit({ type: 'pushing', to: repositoryName(destination) });
  const onRetry = (failure: Error, delayMs: number): void =>
    emit({ type: 'retry', problem: failure.message, delayMs });
  const access = await accessTo(destination, options);
  const client = openClient(destination.registry, access, { onRetry, signal });
  try {
    const push = new Push(options, client, new ImageStore(paths), signal);
    const unique = [...new Map(parts.map((part) => [part.digest, part])).values()];
    const uploads = unique.map((part) => push.blob(part));
    try {
      await Promise.all(uploads);
    } catch (error) {
      stop.abort(error);
      await Promise.allSettled(uploads);
      throw error;
    }
    await putDocuments(client, destination, documents);
    const { digest = '' as Digest, bytes = new Uint8Array() } = documents.at(-1) ?? {};
    emit({ type: 'pushed', reference: formatReference(destination), digest, size: bytes.length });
  } finally {
    await client.close();
  }
}

/** Registries refuse an index whose manifests they do not have: it comes last. */
async function putDocuments(
  client: RegistryClient,
  destination: Reference,
  documents: readonly DocumentToPush[],
): Promise<void> {
  const { repository } = destination;
  for (const [i, { mediaType, bytes, digest }] of documents.entries()) {
    const isLast = i === documents.length - 1;
    const reference = isLast ? (destination.digest ?? destination.tag) : digest;
    await putManifest(client, { repository, reference, mediaType, bytes, digest });
  }
}
