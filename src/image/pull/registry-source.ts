/** A registry as the source of an image. Loads undici: import it only when a registry is really asked. */
import { openClient, type RegistryAccess } from '../../registry/access.ts';
import { downloadBlob } from '../../registry/download-blob.ts';
import type { Digest } from '../../spec/image.ts';
import type { Reference } from '../../spec/reference.ts';
import type { FoundSignatures } from '../policy/admit-image.ts';
import type { ImageSource, SourceDocument } from './image-source.ts';

export interface RegistrySource extends ImageSource {
  /** What the tag means now; undefined when the registry does not say. */
  currentDigest(): Promise<Digest | undefined>;
  /** What is said to sign a manifest, at this place. */
  signatures(manifestDigest: Digest): Promise<FoundSignatures>;
  close(): Promise<void>;
}

/** As docker does; more connections are seldom faster, and cost the registry. */
const PARALLEL_BLOBS = 3;

/** The repository of `reference` at its registry. `onRetry` is told of documents' failures; blobs have their own. */
export function openRegistry(
  reference: Reference,
  access: RegistryAccess,
  onRetry: (failure: Error, delayMs: number) => void,
  signal: AbortSignal | undefined,
): RegistrySource {
  const { registry, repository } = reference;
  const client = openClient(registry, access, { onRetry, signal });
  const name = reference.digest ?? reference.tag;
  return {
    parallel: PARALLEL_BLOBS,
    document: (digest): Promise<SourceDocument> => client.document(repository, digest ?? name),
    reached: () => client.url('/'),
    fill: (descriptor, partial, options) => downloadBlob(client, repository, descriptor, partial, options),
    signatures: async (digest) => {
      const { registrySignatures } = await import('../policy/registry-signatures.ts');
      return await registrySignatures(client, reference, digest, access);
    },
    currentDigest: () => client.digestOf(repository, name),
    close: () => client.close(),
  };
}
