/** What an image is, without taking it into the store: its documents are read from where it is. */
import { parseImageConfig } from '../spec/document.ts';
import type { ImageConfig, Platform } from '../spec/image.ts';
import { BlobStore } from '../store/blobs.ts';
import type { StorePaths } from '../store/paths.ts';
import { type FetchedDocuments, fetchDocuments } from './pull/fetch-documents.ts';
import type { ImageSource } from './pull/image-source.ts';

export interface RemoteImage extends FetchedDocuments {
  config: ImageConfig;
}

/**
 * Reads index, manifest and configuration, verified. The configuration goes through the store's blobs, as all blobs do; the next
 * collection of garbage takes it away.
 * Throws ERR_TSRUN_PLATFORM, ERR_TSRUN_MISMATCH, ERR_TSRUN_DOCUMENT, and what the source throws.
 */
export async function readRemoteImage(
  paths: StorePaths,
  source: ImageSource,
  reference: string,
  platform: Platform,
): Promise<RemoteImage> {
  const blobs = new BlobStore(paths);
  const fetched = await fetchDocuments(source, blobs, { reference, platform, digest: undefined });
  const descriptor = fetched.manifest.config;
  const what = `the config of ${reference}`;
  const { signal } = new AbortController();
  const partial = await blobs.openPartial(descriptor, { what });
  if (partial !== undefined) {
    try {
      await source.fill(descriptor, partial, { signal, onProgress: () => {}, onRetry: () => {} });
      await partial.complete();
    } catch (error) {
      partial.close(error);
      throw error;
    }
  }
  return { ...fetched, config: parseImageConfig(blobs.readText(descriptor.digest), what) };
}
