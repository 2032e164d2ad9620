/** The digests of the store. */
import { createHash, type Hash } from 'node:crypto';
import type { DigestAlgorithm } from '../spec/digest.ts';
import type { Digest } from '../spec/image.ts';
import { loadFromNodesCache } from '../sys/v8-flags.ts';

/** Loads what makes digests, while there is something to wait for. */
export const prepareDigests = (): void => loadFromNodesCache(['crypto']);

export function digestOf(data: string | Uint8Array, algorithm: DigestAlgorithm): Digest {
  return `${algorithm}:${createHash(algorithm).update(data).digest('hex')}` as Digest;
}

export const sha256 = (data: string | Uint8Array): Digest => digestOf(data, 'sha256');

/** The digest of bytes that come one piece after the other. */
export class Digester {
  readonly #algorithm: DigestAlgorithm;
  readonly #hash: Hash;
  constructor(algorithm: DigestAlgorithm = 'sha256') {
    this.#algorithm = algorithm;
    this.#hash = createHash(algorithm);
  }
  update(bytes: Uint8Array): void {
    this.#hash.update(bytes);
  }
  digest(): Digest {
    return `${this.#algorithm}:${this.#hash.digest('hex')}` as Digest;
  }
}
