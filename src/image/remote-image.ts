/** What an image is, without taking it into the store: its documents are read from where it is. */
import { rmSync } from 'node:fs';
import { parseImageConfig } from '../spec/document.ts';
import type { Descriptor, ImageConfig, Platform } from '../spec/image.ts';
import { BlobStore } from '../store/blobs.ts';
import type { StorePaths } from '../store/paths.ts';
import { temporaryPath } from '../store/temporary.ts';
import { type FetchedDocuments, fetchDocuments } from './pull/fetch-documents.ts';
import type { ImageSource } from './pull/image-source.ts';
import { requireConfigType } from './pull/require-config-type.ts';

export interface RemoteImage extends FetchedDocuments {
  config: ImageConfig;
  /** The configuration as it is. */
  configText: string;
}

/**
 * Reads index, manifest and configuration, verified. Nothing is put into the store.
 * Throws ERR_TSRUN_PLATFORM, ERR_TSRUN_MISMATCH, ERR_TSRUN_DOCUMENT, and what the source throws.
 */
export async function readRemoteImage(
  paths: StorePaths,
  source: ImageSource,
  reference: string,
  platform: Platform,
): Promise<RemoteImage> {
  const fetched = await fetchDocuments(source, new BlobStore(paths), {
    reference,
    platform,
    digest: undefined,
  });
  const what = `the config of ${reference}`;
  requireConfigType(fetched.manifest.config, reference);
  // a store for this one blob, so that it is verified as all blobs are
  const scratch: StorePaths = { ...paths, root: temporaryPath(paths, 'look') };
  try {
    const text = await readBlob(new BlobStore(scratch), source, fetched.manifest.config, what);
    return { ...fetched, config: parseImageConfig(text, what), configText: text };
  } finally {
    rmSync(scratch.root, { recursive: true, force: true });
  }
}

async function readBlob(
  blobs: BlobStore,
  source: ImageSource,
  descriptor: Descriptor,
  what: string,
): Promise<string> {
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
  return blobs.readText(descriptor.digest);
}
