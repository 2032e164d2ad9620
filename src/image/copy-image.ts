/**
 * The parts of an image in the store's blobs, without its layers being unpacked or a name being given: what is on the way from one
 * place to another. Everything is verified on the way, and can be stopped and repeated like a pull.
 */
import { tsrunError } from '../errors.ts';
import { chainIds } from '../spec/digest.ts';
import { parseImageConfig } from '../spec/document.ts';
import type { Descriptor, Digest, ImageConfig } from '../spec/image.ts';
import { isForeignLayer } from '../spec/media-types.ts';
import { formatPlatform, requirePlatform } from '../spec/platform.ts';
import { BlobStore } from '../store/blobs.ts';
import { sha256 } from '../store/hash.ts';
import { danglingReference, type ImageRecord } from '../store/image-record.ts';
import { pin } from '../store/pins.ts';
import { fetchBlobs } from './pull/fetch-blobs.ts';
import { type FetchedDocuments, fetchDocuments } from './pull/fetch-documents.ts';
import type { TransitOptions } from './transit-options.ts';

/** An image whose blobs are kept until this is disposed of. No record of it is in the store. */
export interface ImageInTransit extends Disposable {
  record: ImageRecord;
}

/** Throws what fetchImage() throws, but for unpacking; ERR_TSRUN_PLATFORM only where a platform was asked for. */
export async function fetchParts(options: TransitOptions): Promise<ImageInTransit> {
  return await fetchPartsOf(options, await documentsOf(options));
}

/** The documents of the image for the platform. Throws what fetchDocuments() throws. */
export const documentsOf = ({ paths, source, label, platform }: TransitOptions): Promise<FetchedDocuments> =>
  fetchDocuments(source, new BlobStore(paths), { reference: label, platform, digest: undefined });

/** The rest of it. Throws as {@link fetchParts} does. */
export async function fetchPartsOf(
  options: TransitOptions,
  fetched: FetchedDocuments,
): Promise<ImageInTransit> {
  const { paths, label } = options;
  const blobs = new BlobStore(paths);
  await options.admit(fetched.manifestDigest);
  const { manifest, documents } = fetched;
  const parts = [manifest.config, ...manifest.layers.filter(({ mediaType }) => !isForeignLayer(mediaType))];
  const digests: Digest[] = [...documents, ...parts].map(({ digest }) => digest);
  const pinned = await pin(paths, { layers: [], blobs: digests });
  try {
    for (const { digest, bytes } of documents) blobs.put(bytes, digest, `the manifest of ${label}`);
    if (options.isPlatformExplicit) await requireConfigFor(options, manifest.config, blobs);
    await fetchBlobs(options, parts);
    return { record: recordOf(options, fetched, blobs), [Symbol.dispose]: () => pinned[Symbol.dispose]() };
  } catch (error) {
    pinned[Symbol.dispose]();
    throw error;
  }
}

/** An image without an index may be for any platform: one that was asked for is looked for before layers are fetched. */
async function requireConfigFor(
  options: TransitOptions,
  descriptor: Descriptor,
  blobs: BlobStore,
): Promise<void> {
  await fetchBlobs(options, [descriptor]);
  requirePlatform(options.label, options.platform, readConfig(options, descriptor.digest, blobs));
}

const readConfig = ({ label }: TransitOptions, digest: Digest, blobs: BlobStore): ImageConfig =>
  parseImageConfig(blobs.readText(digest), `the config of ${label}`);

function recordOf(options: TransitOptions, fetched: FetchedDocuments, blobs: BlobStore): ImageRecord {
  const { manifest, rootDigest, manifestDigest } = fetched;
  const imageId = manifest.config.digest;
  const config = readConfig(options, imageId, blobs);
  const { diff_ids: diffIds } = config.rootfs;
  if (diffIds.length !== manifest.layers.length) {
    const problem = `its manifest has ${manifest.layers.length} layers, its config ${diffIds.length}`;
    throw tsrunError('ERR_TSRUN_DOCUMENT', { what: `image ${options.label}`, problem });
  }
  const chain = chainIds(diffIds, sha256);
  return {
    reference: options.name ?? danglingReference(imageId),
    digest: rootDigest,
    manifestDigest,
    imageId,
    platform: formatPlatform(config),
    layers: manifest.layers.flatMap(({ digest, size }, i) => {
      const [diffId, chainId] = [diffIds[i], chain[i]];
      return diffId === undefined || chainId === undefined
        ? []
        : [{ chainId, diffId, blobDigest: digest, size }];
    }),
    pulledAt: new Date().toISOString(),
  };
}
