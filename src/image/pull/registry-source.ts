/** A registry as the source of an image. Loads undici: import it only when a registry is really asked. */

import { type Credentials, findCredentials } from '../../registry/auth-files.ts';
import { RegistryClient } from '../../registry/client.ts';
import { downloadBlob } from '../../registry/download-blob.ts';
import type { RetryPolicy } from '../../registry/retry.ts';
import { certificateDirectories, readTlsFiles } from '../../registry/tls-files.ts';
import type { Digest } from '../../spec/image.ts';
import type { Reference } from '../../spec/reference.ts';
import type { ImageSource, SourceDocument } from './image-source.ts';

export interface RegistryAccess {
  /** Instead of those in the files of podman and docker. */
  credentials?: Credentials | undefined;
  /** Where proxies and the files of logins are looked up; process.env. */
  environment?: NodeJS.ProcessEnv;
  retry?: RetryPolicy;
}

export interface RegistrySource extends ImageSource {
  /** What the tag means now; undefined when the registry does not say. */
  currentDigest(): Promise<Digest | undefined>;
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
  const environment = access.environment ?? process.env;
  let found: Promise<Credentials | undefined> | undefined;
  const credentials = (): Promise<Credentials | undefined> => {
    found ??= access.credentials
      ? Promise.resolve(access.credentials)
      : findCredentials(registry, repository, environment);
    return found;
  };
  const tls = readTlsFiles(registry, certificateDirectories(environment));
  const retry = access.retry === undefined ? {} : { retry: access.retry };
  const client = new RegistryClient({ registry, credentials, tls, environment, onRetry, signal, ...retry });
  const name = reference.digest ?? reference.tag;
  return {
    parallel: PARALLEL_BLOBS,
    document: (digest): Promise<SourceDocument> => client.document(repository, digest ?? name),
    fill: (descriptor, partial, options) => downloadBlob(client, repository, descriptor, partial, options),
    currentDigest: () => client.digestOf(repository, name),
    close: () => client.close(),
  };
}
