/**
 * images/<name>.json: a name given to an image. The file name is the full reference percent-encoded, so that looking up a name is
 * one read; the content says the reference again, so that the file explains itself.
 */

import { isDigest } from '../spec/digest.ts';
import type { ChainId, DiffId, Digest } from '../spec/image.ts';
import { sha256 } from './hash.ts';

export interface LayerLink {
  chainId: ChainId;
  diffId: DiffId;
  blobDigest: Digest;
  /** bytes of the blob, as it is compressed */
  size: number;
}

export interface ImageRecord {
  /** `docker.io/library/httpd:latest`; `<none>@sha256:…` (the image id) when its last name was given to another image */
  reference: string;
  /** What the name resolved to at the registry: an index or a manifest. */
  digest: Digest;
  manifestDigest: Digest;
  /** Digest of the configuration. */
  imageId: Digest;
  /** `linux/amd64`, as the configuration says */
  platform: string;
  /** Lowest first. */
  layers: LayerLink[];
  /** ISO 8601 */
  pulledAt: string;
}

const NONE = '<none>@';
/** File names may have 255 bytes. */
const MAX_ENCODED = 240;

export function danglingReference(imageId: Digest): string {
  return `${NONE}${imageId}`;
}

/** True for an image without a name. */
export function isDangling(record: Pick<ImageRecord, 'reference'>): boolean {
  return record.reference.startsWith(NONE);
}

/** The file name of a record. Names too long for a file keep their beginning and get a digest. */
export function recordFileName(reference: string): string {
  const encoded = encodeURIComponent(reference);
  if (encoded.length <= MAX_ENCODED) return `${encoded}.json`;
  return `${encoded.slice(0, 160)}~${sha256(reference).slice(7)}.json`;
}

/** Reads a record; undefined when the text is damaged. */
export function parseImageRecord(text: string): ImageRecord | undefined {
  let value: Partial<ImageRecord> | null;
  try {
    value = JSON.parse(text) as Partial<ImageRecord> | null;
  } catch {
    return undefined;
  }
  if (typeof value?.reference !== 'string' || !Array.isArray(value.layers)) return undefined;
  const isWhole =
    isDigest(value.digest) &&
    isDigest(value.manifestDigest) &&
    isDigest(value.imageId) &&
    value.layers.every((l) => isDigest(l?.chainId) && isDigest(l.diffId) && isDigest(l.blobDigest));
  return isWhole ? (value as ImageRecord) : undefined;
}
