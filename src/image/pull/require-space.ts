/**
 * Is there room for the image? Told before the first byte is fetched, rather than after the last that fits.
 *
 * What has to be downloaded is known. What it unpacks to is not; but it is hardly ever less. So only what cannot succeed is refused, and
 * the disk may still turn out to be too small: then what was downloaded is kept.
 */
import { statfsSync, statSync } from 'node:fs';
import { tsrunError } from '../../errors.ts';
import type { Descriptor } from '../../spec/image.ts';
import type { BlobStore } from '../../store/blobs.ts';
import type { LayerStore } from '../../store/layers.ts';
import { partialBlobPath } from '../../store/paths.ts';
import type { PlannedLayer } from './unpack-layer.ts';

/** @throws TsrunError ERR_TSRUN_SPACE */
export function requireSpace(
  reference: string,
  planned: readonly PlannedLayer[],
  { blobs, layers }: { blobs: BlobStore; layers: LayerStore },
): void {
  const place = blobs.paths.root;
  const { bavail, bsize, blocks } = statfsSync(place);
  if (blocks === 0) return; // a file system that does not count
  const fetched = new Set<string>();
  const needed = planned.reduce((sum, { descriptor: { digest, size }, chainId }) => {
    const isKnown = fetched.has(digest) || blobs.has(digest);
    fetched.add(digest);
    const there = statSync(partialBlobPath(blobs.paths, digest), { throwIfNoEntry: false })?.size ?? 0;
    const download = isKnown ? 0 : Math.max(0, size - there);
    return sum + download + (layers.has(chainId) ? 0 : size);
  }, 0);
  const free = bavail * bsize;
  if (needed > free) throw tsrunError('ERR_TSRUN_SPACE', { reference, place, needed, free });
}

/** There is room for all that requireSpace() could ask for, whatever the store has of it. */
export function hasAmpleSpace(descriptors: readonly Descriptor[], { paths }: BlobStore): boolean {
  const { bavail, bsize, blocks } = statfsSync(paths.root);
  const most = descriptors.reduce((sum, { size }) => sum + 2 * size, 0);
  return blocks === 0 || most <= bavail * bsize;
}
