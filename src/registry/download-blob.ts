/**
 * Filling a partial blob from a registry: resume → append (hash, size) → again after a cut. Verifying is the partial blob's own.
 */
import { tsrunError } from '../errors.ts';
import type { Descriptor } from '../spec/image.ts';
import { isForeignLayer } from '../spec/media-types.ts';
import type { PartialBlob } from '../store/partial-blob.ts';
import type { BlobBody, RegistryClient } from './client.ts';
import { networkFailure, tooSlow } from './network-failure.ts';
import { TransientFailure, withRetries } from './retry.ts';

export interface DownloadOptions {
  signal?: AbortSignal | undefined;
  /** bytes of the blob that are here */
  onProgress?: ((received: number) => void) | undefined;
  onRetry?: ((failure: Error, delayMs: number) => void) | undefined;
}

/** So many bytes in the time that a server may be silent, or it is as good as silent. */
const LEAST_BYTES = 4096;

/** performance.now() takes 2 ms to load. */
const nowMs = (): number => Number(process.hrtime.bigint() / 1_000_000n);

/** How fast a body comes. What we do with its pieces is not the server's fault, and does not count. */
class Pace {
  readonly #windowMs: number;
  #waitedMs = 0;
  #bytes = 0;
  #since = nowMs();
  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }
  waiting(): void {
    this.#since = nowMs();
  }
  /** Throws what networkFailure() takes for a failure that may pass. */
  arrived(bytes: number): void {
    this.#waitedMs += nowMs() - this.#since;
    this.#bytes += bytes;
    if (this.#waitedMs < this.#windowMs) return;
    if (this.#bytes < LEAST_BYTES)
      throw tooSlow(`no more than ${this.#bytes} bytes came in ${this.#windowMs / 1000} s`);
    this.#waitedMs = 0;
    this.#bytes = 0;
  }
}

/**
 * Downloads what `partial` lacks. A server that cannot resume sends everything again, of which the known beginning is skipped.
 * Throws ERR_TSRUN_MISMATCH when the registry's blob has another size, ERR_TSRUN_REGISTRY_… when it cannot be had.
 */
export async function downloadBlob(
  client: RegistryClient,
  repository: string,
  descriptor: Descriptor,
  partial: PartialBlob,
  options: DownloadOptions,
): Promise<void> {
  const { signal, onRetry } = options;
  // Attempts are counted anew only by progress that is worth the name: a server must not keep us for ever by single bytes.
  const progress = (): number => Math.floor(partial.received / LEAST_BYTES);
  const attempt = async (): Promise<void> => {
    if (partial.received === descriptor.size) return;
    const body = await openBody(client, repository, descriptor, partial.received, signal);
    if (body.totalSize !== undefined && body.totalSize !== descriptor.size) {
      partial.discard();
      throw tsrunError('ERR_TSRUN_MISMATCH', {
        what: `layer ${descriptor.digest}`,
        property: 'size',
        expected: String(descriptor.size),
        got: String(body.totalSize),
      });
    }
    await readInto(partial, body, client, options);
  };
  await withRetries(attempt, { policy: client.retry, signal, onRetry, progress });
}

/** Foreign layers are fetched from their own addresses, the registry being the last resort. */
async function openBody(
  client: RegistryClient,
  repository: string,
  descriptor: Descriptor,
  offset: number,
  signal: AbortSignal | undefined,
): Promise<BlobBody> {
  const urls = isForeignLayer(descriptor.mediaType) ? (descriptor.urls ?? []) : [];
  const failures: unknown[] = [];
  for (const text of urls) {
    if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) continue;
    try {
      return await client.foreignBlob(new URL(text), repository, offset, signal);
    } catch (error) {
      signal?.throwIfAborted();
      failures.push(error);
    }
  }
  try {
    return await client.blob(repository, descriptor, offset, signal);
  } catch (error) {
    // Where the layer really is, is what the user needs to know about.
    throw failures[0] ?? error;
  }
}

async function readInto(
  partial: PartialBlob,
  body: BlobBody,
  { registry, patience }: RegistryClient,
  options: DownloadOptions,
): Promise<void> {
  let skip = partial.received - body.offset;
  const pace = new Pace(patience.silenceMs);
  try {
    for await (const chunk of body.chunks) {
      pace.arrived(chunk.length);
      const fresh = skip === 0 ? chunk : chunk.subarray(Math.min(skip, chunk.length));
      skip -= chunk.length - fresh.length;
      if (fresh.length > 0) {
        partial.append(fresh);
        options.onProgress?.(partial.received);
      }
      pace.waiting();
    }
  } catch (error) {
    options.signal?.throwIfAborted();
    if (error instanceof Error && error.name === 'TsrunError') throw error;
    throw networkFailure(registry, body.url, error, { mayPass: true });
  }
  if (partial.received < partial.expectedSize) {
    const cut = new Error(`the connection ended after ${partial.received} of ${partial.expectedSize} bytes`);
    const url = body.url.origin;
    throw new TransientFailure(tsrunError('ERR_TSRUN_REGISTRY_UNREACHABLE', { registry, url }, cut));
  }
}
