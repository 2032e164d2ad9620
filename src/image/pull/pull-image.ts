/** Pulling one image from its registry. */

import { TsrunError } from '../../errors.ts';
import type { RegistryAccess } from '../../registry/access.ts';
import { type PullEndpoint, pullEndpoints } from '../../registry/registry-policy.ts';
import type { Platform } from '../../spec/image.ts';
import { hostPlatform } from '../../spec/platform.ts';
import { formatReference, type Reference, repositoryName } from '../../spec/reference.ts';
import { BlobStore } from '../../store/blobs.ts';
import { logImageEvent } from '../../store/event-log.ts';
import type { ImageRecord } from '../../store/image-record.ts';
import { ImageStore } from '../../store/images.ts';
import { DEFAULT_STORE_HOOKS, type StoreHooks } from '../../store/layers.ts';
import type { StorePaths } from '../../store/paths.ts';
import type { LayerUnpacker } from '../layer-sink.ts';
import { admission } from '../policy/admit-image.ts';
import { REGISTRY_FAILURES } from '../registry-failures.ts';
import { servesPlatform } from '../serves-platform.ts';
import type { PullListener } from './events.ts';
import { fetchImage } from './fetch-image.ts';
import { openRegistry, type RegistrySource } from './registry-source.ts';

export interface PullOptions extends RegistryAccess {
  /** --signature-policy */
  signaturePolicy?: string | undefined;
  paths: StorePaths;
  reference: Reference;
  unpacker: LayerUnpacker;
  hooks?: StoreHooks;
  /** The platform that the user asked for; this machine's otherwise. */
  platform?: Platform | undefined;
  onEvent?: PullListener | undefined;
  /** Stops the pull; what was downloaded is kept for the next one. */
  signal?: AbortSignal | undefined;
}

export interface PullResult {
  record: ImageRecord;
  /** False when the store had exactly this image. */
  isNew: boolean;
}

/** The image of the store, if it is whole and still what the registry means by the name. */
async function upToDate(
  source: RegistrySource,
  options: PullOptions,
  wanted: Platform,
): Promise<ImageRecord | undefined> {
  const store = new ImageStore(options.paths);
  const record = store.read(formatReference(options.reference));
  if (record === undefined || !servesPlatform(record, wanted) || store.missingParts(record).length > 0)
    return undefined;
  // What a container does not need, push and save do; layers of a damaged store are made of them.
  const blobs = new BlobStore(options.paths);
  if (record.layers.some(({ blobDigest }) => !blobs.has(blobDigest))) return undefined;
  // Documents are small enough to be looked at: `tsrun pull` is how a damaged one is healed.
  const documents = [record.digest, record.manifestDigest, record.imageId];
  if (documents.some((digest) => blobs.readVerifiedText(digest) === undefined)) return undefined;
  const current = options.reference.digest ?? (await source.currentDigest());
  return current === record.digest ? record : undefined;
}

/** Failures after which another place may do: it cannot be reached, has not got the image, or has got something else. */
const SOURCE_FAILURES = new Set<string>([
  ...REGISTRY_FAILURES,
  'ERR_TSRUN_MISMATCH',
  'ERR_TSRUN_DOCUMENT',
  'ERR_TSRUN_MEDIA_TYPE',
  'ERR_TSRUN_SCHEMA1',
  'ERR_TSRUN_PLATFORM',
  'ERR_TSRUN_CERTIFICATES',
]);

export const isOfSource = (error: unknown): error is TsrunError =>
  error instanceof TsrunError && SOURCE_FAILURES.has(error.code);

/** Why a place would not do, in a line. */
export function reasonOf(error: TsrunError): string {
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message;
}

/**
 * Asks the registry, or the mirrors that registries.conf has of it, what the reference means, and fetches what the store lacks of it.
 * Throws what fetchImage() throws, and ERR_TSRUN_TAG_UNKNOWN, ERR_TSRUN_REPOSITORY_UNKNOWN, ERR_TSRUN_REGISTRY_…,
 * ERR_TSRUN_REGISTRIES_CONF, ERR_TSRUN_CREDENTIALS.
 */
export async function pullImage(options: PullOptions): Promise<PullResult> {
  const endpoints = await pullEndpoints(options.reference, options);
  const [last] = endpoints.slice(-1);
  for (const endpoint of endpoints) {
    try {
      return await pullFrom(endpoint, options);
    } catch (error) {
      if (endpoint === last || !isOfSource(error)) throw error;
      const mirror = repositoryName(endpoint.reference);
      options.onEvent?.({
        type: 'warning',
        text: `mirror ${mirror} will not do: ${reasonOf(error)}; trying the next`,
      });
    }
  }
  throw new Error('there is always a registry itself');
}

/** Pulls from one place under the name that the user means. */
async function pullFrom(endpoint: PullEndpoint, options: PullOptions): Promise<PullResult> {
  const { paths, reference, unpacker, signal } = options;
  const emit: PullListener = options.onEvent ?? (() => {});
  const name = formatReference(reference);
  const platform = options.platform ?? hostPlatform(process.arch);
  const via = endpoint.isMirror ? { via: repositoryName(endpoint.reference) } : {};
  emit({ type: 'pulling', from: repositoryName(reference), tag: reference.digest ?? reference.tag, ...via });
  const onRetry = (failure: Error, delayMs: number): void =>
    emit({ type: 'retry', problem: failure.message, delayMs });
  const source = openRegistry(endpoint.reference, endpoint.access, onRetry, signal);
  try {
    const before = new ImageStore(paths).read(name);
    const admit = admission(
      { identity: { transport: 'docker', reference }, signatures: source.signatures },
      { file: options.signaturePolicy, environment: options.environment },
    );
    const current = await upToDate(source, options, platform);
    if (current !== undefined) await admit(current.manifestDigest);
    const record =
      current ??
      (await fetchImage({
        paths,
        hooks: options.hooks ?? DEFAULT_STORE_HOOKS,
        source,
        unpacker,
        reference: name,
        digest: reference.digest,
        platform,
        isPlatformExplicit: options.platform !== undefined,
        admit,
        emit,
        signal,
      }));
    const isNew = before?.imageId !== record.imageId;
    logImageEvent(paths, 'pull', record.imageId, name);
    emit({ type: 'done', reference: name, digest: record.digest, imageId: record.imageId, isNew });
    return { record, isNew };
  } finally {
    await source.close();
  }
}
