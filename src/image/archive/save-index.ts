/** An image for several platforms, with its index, as a layout or as skopeo's `dir:`. Every document and blob stays as it is. */
import { digestHex } from '../../spec/digest.ts';
import type { Descriptor, Digest } from '../../spec/image.ts';
import { OCI_INDEX } from '../../spec/media-types.ts';
import { BlobStore } from '../../store/blobs.ts';
import type { StorePaths } from '../../store/paths.ts';
import type { IndexInTransit } from '../copy-index.ts';
import type { FileSink } from './file-sink.ts';

/** Each blob once, though platforms share them. */
async function writeBlobs(
  paths: StorePaths,
  { manifests }: IndexInTransit,
  sink: FileSink,
  nameOf: (digest: Digest) => string,
): Promise<void> {
  const blobs = new BlobStore(paths);
  const parts = new Map(manifests.flatMap((each) => each.parts).map((part) => [part.digest, part]));
  for (const { digest, size } of parts.values()) await sink.stream(nameOf(digest), size, blobs.read(digest));
}

/** @param name the annotation that it gets */
export async function saveIndexLayout(
  paths: StorePaths,
  index: IndexInTransit,
  name: string | undefined,
  sink: FileSink,
): Promise<void> {
  const blobName = (digest: Digest): string => `blobs/sha256/${digestHex(digest)}`;
  await writeBlobs(paths, index, sink, blobName);
  for (const { digest, bytes } of [
    ...new Map(index.manifests.map((each) => [each.digest, each])).values(),
    index,
  ])
    await sink.file(blobName(digest), bytes);
  const entry: Descriptor = {
    mediaType: index.mediaType,
    digest: index.digest,
    size: index.bytes.length,
    ...(name !== undefined && { annotations: { 'org.opencontainers.image.ref.name': name } }),
  };
  await sink.file('oci-layout', JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  await sink.file(
    'index.json',
    JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [entry] }),
  );
  await sink.end();
}

export async function saveIndexPlain(
  paths: StorePaths,
  index: IndexInTransit,
  sink: FileSink,
): Promise<void> {
  await writeBlobs(paths, index, sink, digestHex);
  for (const { digest, bytes } of new Map(index.manifests.map((each) => [each.digest, each])).values())
    await sink.file(`${digestHex(digest)}.manifest.json`, bytes);
  await sink.file('version', 'Directory Transport Version: 1.1\n');
  await sink.file('manifest.json', index.bytes);
  await sink.end();
}
