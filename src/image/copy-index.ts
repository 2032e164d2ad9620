/**
 * What is on the way from one place to another as it is: an image for several platforms with its index, every manifest of it, whatever it is
 * for, and every blob of each; or an artifact (a chart, a module), which is a manifest and blobs that only those who made it understand. All of
 * it is in the store's blobs for the time of the copy. Configurations are not parsed: those of attestations and artifacts are none.
 */
import { tsrunError } from '../errors.ts';
import type { Descriptor, Digest, Manifest } from '../spec/image.ts';
import { isArtifactConfig, isForeignLayer, OCI_INDEX, OCI_MANIFEST } from '../spec/media-types.ts';
import { BlobStore } from '../store/blobs.ts';
import { pin } from '../store/pins.ts';
import { fetchBlobs } from './pull/fetch-blobs.ts';
import { type FetchedDocuments, fetchChild, fetchRoot } from './pull/fetch-documents.ts';
import type { TransitOptions } from './transit-options.ts';

export interface IndexedManifest {
  digest: Digest;
  mediaType: string;
  bytes: Uint8Array;
  /** Blobs that it names and that registries hold: layers, then the configuration. */
  parts: Descriptor[];
}

/** Everything that an index, or the manifest of an artifact, leads to. The blobs are kept until this is disposed of. */
export interface IndexInTransit extends Disposable {
  digest: Digest;
  mediaType: string;
  bytes: Uint8Array;
  /** Of an index. */
  manifests: IndexedManifest[];
  /** Blobs that it names itself: those of an artifact. */
  parts: Descriptor[];
}

const partsOf = ({ config, layers }: Manifest): Descriptor[] => [
  ...layers.filter(({ mediaType }) => !isForeignLayer(mediaType)),
  config,
];

/** @returns undefined when the name means a manifest: there is nothing but it. Throws what fetchParts() throws. */
export async function fetchIndex(options: TransitOptions): Promise<IndexInTransit | undefined> {
  const { digest, bytes, contentType, document } = await fetchRoot(options.source, options.label);
  if (document.kind === 'manifest') return undefined;
  await options.admit(digest);
  const manifests: IndexedManifest[] = [];
  for (const entry of document.index.manifests) manifests.push(await fetchManifest(options, entry));
  const mediaType = document.index.mediaType ?? contentType ?? OCI_INDEX;
  return await withBlobs(options, { digest, mediaType, bytes, manifests, parts: [] });
}

/** @returns undefined when the documents are those of an image. Throws what fetchParts() throws. */
export async function fetchArtifact(
  options: TransitOptions,
  { manifest, documents }: FetchedDocuments,
): Promise<IndexInTransit | undefined> {
  const document = documents.at(-1);
  if (document === undefined || !isArtifactConfig(manifest.config.mediaType)) return undefined;
  await options.admit(document.digest);
  const mediaType = manifest.mediaType ?? OCI_MANIFEST;
  return await withBlobs(options, { ...document, mediaType, manifests: [], parts: partsOf(manifest) });
}

async function withBlobs(
  options: TransitOptions,
  whole: Omit<IndexInTransit, typeof Symbol.dispose>,
): Promise<IndexInTransit> {
  const parts = [...whole.parts, ...whole.manifests.flatMap((manifest) => manifest.parts)];
  const pinned = await pin(options.paths, { layers: [], blobs: parts.map((part) => part.digest) });
  try {
    await fetchBlobs(options, parts);
  } catch (error) {
    pinned[Symbol.dispose]();
    throw error;
  }
  return { ...whole, [Symbol.dispose]: () => pinned[Symbol.dispose]() };
}

async function fetchManifest(
  { paths, source, label, admit }: TransitOptions,
  entry: Descriptor,
): Promise<IndexedManifest> {
  const { digest, bytes, document } = await fetchChild(source, new BlobStore(paths), entry, label);
  if (document.kind === 'index')
    throw tsrunError('ERR_TSRUN_DOCUMENT', {
      what: `manifest ${digest} of ${label}`,
      problem: 'it is an index in an index: copy one platform of it',
    });
  await admit(digest);
  const { manifest } = document;
  return { digest, mediaType: manifest.mediaType ?? OCI_MANIFEST, bytes, parts: partsOf(manifest) };
}
