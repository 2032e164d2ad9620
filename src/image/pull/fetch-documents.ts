/** From a name to the manifest for a platform: index → platform → manifest, each verified against the digest that led to it. */
import { tsrunError } from '../../errors.ts';
import { parseDocument } from '../../spec/document.ts';
import type { Descriptor, Digest, Manifest, Platform } from '../../spec/image.ts';
import { choosePlatform } from '../../spec/platform.ts';
import type { BlobStore } from '../../store/blobs.ts';
import { sha256 } from '../../store/hash.ts';
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
  checkDigest(what, digest, sha256(bytes));
  if (size === undefined || bytes.length === size) return;
  const sizes = { expected: String(size), got: String(bytes.length) };
  throw tsrunError('ERR_TSRUN_MISMATCH', { what, property: 'size', ...sizes });
}

/** A document by descriptor, from the store if it is there. */
async function fetchChild(source: ImageSource, blobs: BlobStore, descriptor: Descriptor, what: string) {
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
  const root = await source.document(query.digest);
  const rootDigest = sha256(root.bytes);
  const expected = query.digest ?? root.claimedDigest;
  if (expected !== undefined) checkDigest(`the manifest of ${reference}`, expected, rootDigest);
  const text = Buffer.from(root.bytes).toString('utf8');
  let current = parseDocument(text, root.contentType, `the manifest of ${reference}`);
  const documents = [{ digest: rootDigest, bytes: root.bytes }];
  while (current.kind === 'index') {
    if (documents.length >= MAX_LEVELS) {
      const problem = `indexes lead to indexes more than ${MAX_LEVELS} levels deep`;
      throw tsrunError('ERR_TSRUN_DOCUMENT', { what: `the index of ${reference}`, problem });
    }
    const descriptor = choosePlatform(reference, current.index.manifests, query.platform);
    const child = await fetchChild(
      source,
      blobs,
      descriptor,
      `manifest ${descriptor.digest} of ${reference}`,
    );
    documents.push({ digest: child.digest, bytes: child.bytes });
    current = child.document;
  }
  const manifestDigest = documents.at(-1)?.digest ?? rootDigest;
  return { documents, manifest: current.manifest, manifestDigest, rootDigest };
}
