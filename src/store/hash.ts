/** The digests of the store. */
import { createHash, type Hash } from 'node:crypto';
import type { Digest } from '../spec/image.ts';
import { loadFromNodesCache } from '../sys/v8-flags.ts';

/** Loads what makes digests, while there is something to wait for. */
export const prepareDigests = (): void => loadFromNodesCache(['crypto']);

export function sha256(data: string | Uint8Array): Digest {
  return `sha256:${createHash('sha256').update(data).digest('hex')}` as Digest;
}

/** The digest of bytes that come one piece after the other. */
export class Sha256 {
  readonly #hash: Hash = createHash('sha256');
  update(bytes: Uint8Array): void {
    this.#hash.update(bytes);
  }
  digest(): Digest {
    return `sha256:${this.#hash.digest('hex')}` as Digest;
  }
}
