/**
 * Digests: `algorithm:hex` (image-spec descriptor.md, "Digests"). sha256 and sha512 are verified; what cannot be verified is refused. What
 * tsrun computes itself for others is sha256, and so are DiffIDs and ChainIDs.
 */
import { tsrunError } from '../errors.ts';
import type { ChainId, DiffId, Digest } from './image.ts';

export const DIGEST_ALGORITHMS = ['sha256', 'sha512'] as const;
export type DigestAlgorithm = (typeof DIGEST_ALGORITHMS)[number];

const SHA256 = /^sha256:[0-9a-f]{64}$/;
const SHA512 = /^sha512:[0-9a-f]{128}$/;

export function isDigest(text: unknown): text is Digest {
  return typeof text === 'string' && (SHA256.test(text) || SHA512.test(text));
}

/** Of an uncompressed layer, which is named by it in the store. */
export function isDiffId(text: unknown): text is DiffId {
  return typeof text === 'string' && SHA256.test(text);
}

export function digestAlgorithm(digest: Digest): DigestAlgorithm {
  return digest.startsWith('sha512:') ? 'sha512' : 'sha256';
}

/**
 * The digest that `text` spells. `what` names the object that carries it, for the message.
 * Throws ERR_TSRUN_DOCUMENT: uppercase hex, other lengths and other algorithms are refused, so that a digest can be a file name.
 */
export function parseDigest(text: unknown, what: string): Digest {
  if (isDigest(text)) return text;
  throw tsrunError('ERR_TSRUN_DOCUMENT', {
    what,
    problem: `${JSON.stringify(text)} is not a sha256 or sha512 digest`,
  });
}

/** The hexadecimal digits after the algorithm. */
export function digestHex(digest: string): string {
  return digest.slice(digest.indexOf(':') + 1);
}

/** Whether `written` is the beginning of `digest`, with its algorithm or without. */
export const isIdPrefix = (written: string, digest: string): boolean =>
  digest.startsWith(written.includes(':') ? written : `${digest.slice(0, digest.indexOf(':'))}:${written}`);

/** The first 12 digits: how digests are shown to people. */
export function shortDigest(digest: string): string {
  return digestHex(digest).slice(0, 12);
}

/**
 * The chain ids of a list of layers, bottom first (image-spec config.md, "Layer ChainID"):
 * the first is its DiffID, each next is the digest of "<chain below> <DiffID>".
 */
export function chainIds(diffIds: readonly DiffId[], sha256: (text: string) => Digest): ChainId[] {
  const chain: ChainId[] = [];
  let below: ChainId | undefined;
  for (const diffId of diffIds) {
    below = (below === undefined ? diffId : sha256(`${below} ${diffId}`)) as Digest as ChainId;
    chain.push(below);
  }
  return chain;
}
