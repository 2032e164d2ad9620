/** An image for several platforms, with its index, or an artifact, as a layout or as skopeo's `dir:`. Every document and blob stays as it is. */
import { digestHex } from '../../spec/digest.ts';
import type { Digest } from '../../spec/image.ts';
import { BlobStore } from '../../store/blobs.ts';
import type { StorePaths } from '../../store/paths.ts';
import type { IndexInTransit } from '../copy-index.ts';
import type { FileSink } from './file-sink.ts';
import { blobName, endLayout, endPlain, Once } from './layout-files.ts';
import { named } from './layout-index.ts';
import { verified } from './stored-image.ts';

/** Blobs, then the manifests that name them: each once, though platforms share them. */
async function writeParts(
  paths: StorePaths,
  { manifests, parts: own }: IndexInTransit,
  sink: FileSink,
  names: { blob: (digest: Digest) => string; manifest: (digest: Digest) => string },
): Promise<void> {
  const blobs = new BlobStore(paths);
  const once = new Once(sink);
  for (const { digest, size } of [...own, ...manifests.flatMap(({ parts }) => parts)])
    await once.stream(names.blob(digest), () => ({
      size,
      bytes: verified(blobs.read(digest), digest, 'digest'),
    }));
  for (const { digest, bytes } of manifests) await once.file(names.manifest(digest), bytes);
}

/** @param name that it gets */
export async function saveIndexLayout(
  paths: StorePaths,
  index: IndexInTransit,
  name: string | undefined,
  sink: FileSink,
): Promise<void> {
  await writeParts(paths, index, sink, { blob: blobName, manifest: blobName });
  const { digest, bytes, mediaType } = index;
  await sink.file(blobName(digest), bytes);
  const entry = { mediaType, digest, size: bytes.length };
  await endLayout(sink, [name === undefined ? entry : named(entry, name)]);
}

export async function saveIndexPlain(
  paths: StorePaths,
  index: IndexInTransit,
  sink: FileSink,
): Promise<void> {
  const manifest = (digest: Digest): string => `${digestHex(digest)}.manifest.json`;
  await writeParts(paths, index, sink, { blob: digestHex, manifest });
  await endPlain(sink, index.bytes);
}
