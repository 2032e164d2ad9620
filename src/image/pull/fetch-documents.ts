/** From a name to the manifest for a platform: index → platform → manifest, each verified against the digest that led to it. */
import { tsrunError } from '../../errors.ts';
import { digestAlgorithm } from '../../spec/digest.ts';
import { parseDocument } from '../../spec/document.ts';
import type { Descriptor, Digest, Manifest, Platform } from '../../spec/image.ts';
import { choosePlatform } from '../../spec/platform.ts';
import type { BlobStore } from '../../store/blobs.ts';
import { digestOf, prepareDigests } from '../../store/hash.ts';
import type { ImageSource } from './image-source.ts';

/** The documents of one image, root first; the last one is the manifest. Nothing is in the store yet. */
export interface FetchedDocuments {
  documents: { digest: Digest; bytes: Uint8Array }[];
  manifest: Manifest;
  manifestDigest: Digest;
  /** What the name means: the index, or the manifest if there is none. */
  rootDigest: Digest;
}

export interface DocumentQuery {
  /** Names the image in messages. */
  reference: string;
  platform: Platform;
  /** The digest that was asked for. */
  digest: Digest | undefined;
}

/** An index may lead to an index; more levels than that are nobody's intention. */
const MAX_LEVELS = 3;

function checkDigest(what: string, expected: Digest, got: Digest): void {
  if (expected !== got) throw tsrunError('ERR_TSRUN_MISMATCH', { what, property: 'digest', expected, got });
}

/** Throws ERR_TSRUN_MISMATCH unless a document is the one that was named. `size` is that of its descriptor, where there is one. */
export function checkBytes(what: string, digest: Digest, size: number | undefined, bytes: Uint8Array): void {
  checkDigest(what, digest, digestOf(bytes, digestAlgorithm(digest)));
  if (size === undefined || bytes.length === size) return;
  const sizes = { expected: String(size), got: String(bytes.length) };
  throw tsrunError('ERR_TSRUN_MISMATCH', { what, property: 'size', ...sizes });
}

/** An index or manifest, verified. */
export interface FetchedDocument {
  digest: Digest;
  bytes: Uint8Array;
  /** What the source says it is; undefined for what is in the store. */
  contentType?: string | undefined;
  document: ReturnType<typeof parseDocument>;
}

/** What the source's name means, or `wanted`: an index, or a manifest. Throws as {@link fetchDocuments} does. */
export async function fetchRoot(
  source: ImageSource,
  reference: string,
  wanted?: Digest,
): Promise<FetchedDocument> {
  const asking = source.document(wanted);
  prepareDigests();
  const { bytes, contentType, claimedDigest } = await asking;
  const what = `the manifest of ${reference}`;
  const expected = wanted ?? claimedDigest;
  const digest = digestOf(bytes, expected === undefined ? 'sha256' : digestAlgorithm(expected));
  if (expected !== undefined) checkDigest(what, expected, digest);
  const document = parseDocument(Buffer.from(bytes).toString('utf8'), contentType, what);
  return { digest, bytes, contentType, document };
}

/** A document by descriptor, from the store if it is there. Throws as {@link fetchDocuments} does. */
export async function fetchChild(
  source: ImageSource,
  blobs: BlobStore,
  descriptor: Descriptor,
  reference: string,
): Promise<FetchedDocument> {
  const what = `manifest ${descriptor.digest} of ${reference}`;
  const kept = blobs.readVerifiedText(descriptor.digest);
  const fetched = kept === undefined ? await source.document(descriptor.digest) : undefined;
  const bytes = fetched === undefined ? Buffer.from(kept ?? '') : fetched.bytes;
  checkBytes(what, descriptor.digest, descriptor.size, bytes);
  const text = Buffer.from(bytes).toString('utf8');
  // What the server calls it must agree with the document, and so must what the index called it.
  if (fetched !== undefined) parseDocument(text, fetched.contentType, what);
  return { digest: descriptor.digest, bytes, document: parseDocument(text, descriptor.mediaType, what) };
}

/** Throws ERR_TSRUN_PLATFORM, ERR_TSRUN_MISMATCH, ERR_TSRUN_DOCUMENT and what the source throws. */
export async function fetchDocuments(
  source: ImageSource,
  blobs: BlobStore,
  query: DocumentQuery,
): Promise<FetchedDocuments> {
  const { reference } = query;
  const { digest: rootDigest, bytes, document } = await fetchRoot(source, reference, query.digest);
  let current = document;
  const documents = [{ digest: rootDigest, bytes }];
  while (current.kind === 'index') {
    if (documents.length >= MAX_LEVELS) {
      const problem = `indexes lead to indexes more than ${MAX_LEVELS} levels deep`;
      throw tsrunError('ERR_TSRUN_DOCUMENT', { what: `the index of ${reference}`, problem });
    }
    const descriptor = choosePlatform(reference, current.index.manifests, query.platform);
    const child = await fetchChild(source, blobs, descriptor, reference);
    documents.push({ digest: child.digest, bytes: child.bytes });
    current = child.document;
  }
  const manifestDigest = documents.at(-1)?.digest ?? rootDigest;
  return { documents, manifest: current.manifest, manifestDigest, rootDigest };
}
