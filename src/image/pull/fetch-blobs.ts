/** Blobs of an image that is on the way from one place to another, and is not unpacked. */
import type { Descriptor } from '../../spec/image.ts';
import { BlobStore } from '../../store/blobs.ts';
import type { TransitOptions } from '../transit-options.ts';
import { BlobFetches } from './blob-fetches.ts';

/** Fetches all that the store has not, several at once. Throws the first failure, when all fetches have ended. */
export async function fetchBlobs(
  { paths, source, emit }: Pick<TransitOptions, 'paths' | 'source' | 'emit'>,
  parts: readonly Descriptor[],
): Promise<void> {
  const fetches = new BlobFetches({ blobs: new BlobStore(paths), source, emit });
  try {
    for (const opened of await Promise.all(parts.map((part) => fetches.open(part)))) await opened.done;
  } catch (error) {
    fetches.stop(error);
    await fetches.settled();
    throw error;
  }
}
