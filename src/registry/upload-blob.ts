/**
 * Putting a blob into a repository (distribution-spec "Push"), with as few bytes as possible:
 *
 *   HEAD blob                        it is there already: nothing is sent
 *   POST uploads/?mount&from         another repository of the registry has it: nothing is sent
 *   POST uploads/ → Location         an upload session; then either
 *     PUT Location?digest  (body)      a small blob, in one request
 *     PATCH Location       (body)…     a large one; after a cut GET Location tells how far it got, and PATCH goes on from there
 *     PUT Location?digest              ends it; the registry verifies
 *
 * Each answer has a new Location, which may be on another host: then no login goes along.
 */
import { Readable } from 'node:stream';
import { tsrunError } from '../errors.ts';
import { digestAlgorithm } from '../spec/digest.ts';
import type { Descriptor } from '../spec/image.ts';
import { claimedDigest, type RegistryClient } from './client.ts';
import { leadsInward } from './host.ts';
import { networkFailure } from './network-failure.ts';
import { TransientFailure, withRetries } from './retry.ts';
import { pullScope, pushScope } from './scope.ts';
import { type HttpRequest, type HttpResponse, headerOf } from './transport.ts';

export interface UploadOptions {
  repository: string;
  /** Repositories of the same registry that may have the blob. */
  mountFrom: readonly string[];
  /** The bytes from `start` to `end`, which is not part of them. */
  read(start: number, end: number): AsyncIterable<Uint8Array>;
  signal?: AbortSignal | undefined;
  /** bytes of the blob that were sent */
  onProgress?: ((sent: number) => void) | undefined;
  onRetry?: ((failure: Error, delayMs: number) => void) | undefined;
}

/** `from` is the repository it was mounted from. */
export type UploadOutcome = { status: 'present' | 'uploaded' } | { status: 'mounted'; from: string };

/** Up to here one request is better than three. */
const SMALL_BYTES = 1 << 20;
/** What goes into one request where the registry, or a proxy before it, refuses more. */
const CHUNK_BYTES = 8 << 20;
/** A registry reads a blob again before it says that it has it. */
const COMMIT_PATIENCE_MS = 600_000;

/**
 * Puts a blob into a repository, unless it is there. Throws ERR_TSRUN_REGISTRY_…, ERR_TSRUN_MISMATCH when the registry has got
 * something else.
 */
export async function uploadBlob(
  client: RegistryClient,
  descriptor: Descriptor,
  options: UploadOptions,
): Promise<UploadOutcome> {
  const upload = new Upload(client, descriptor, options);
  return withRetries(() => upload.attempt(), {
    policy: client.retry,
    signal: options.signal,
    onRetry: options.onRetry,
    progress: () => upload.offset,
  });
}

class Upload {
  readonly #client: RegistryClient;
  readonly #descriptor: Descriptor;
  readonly #options: UploadOptions;
  readonly #mountFrom: string[];
  /** Where the session goes on; undefined while there is none. */
  #session: URL | undefined;
  /** How many bytes the registry has, or may have. */
  offset = 0;
  /** The session's last request failed: the registry has to be asked how far it is. */
  #isUnsure = false;
  /** Where the session went on the last time. */
  #resumedAt: number | undefined;
  #chunkBytes = Number.POSITIVE_INFINITY;

  constructor(client: RegistryClient, descriptor: Descriptor, options: UploadOptions) {
    this.#client = client;
    this.#descriptor = descriptor;
    this.#options = options;
    this.#mountFrom = [...options.mountFrom];
  }

  async attempt(): Promise<UploadOutcome> {
    if (this.#session !== undefined && this.#isUnsure) await this.#findOffset();
    if (this.#session === undefined) {
      if (await this.#isPresent()) return { status: 'present' };
      const from = await this.#begin();
      if (from !== undefined) return { status: 'mounted', from };
    }
    this.#isUnsure = true;
    await this.#send();
    return { status: 'uploaded' };
  }

  async #isPresent(): Promise<boolean> {
    const url = await this.#client.url(`/v2/${this.#options.repository}/blobs/${this.#descriptor.digest}`);
    const response = await this.#call({ method: 'HEAD', url });
    await response.body.dump();
    return response.status === 200;
  }

  /** Opens a session, or has the blob mounted. @returns the repository it was mounted from */
  async #begin(): Promise<string | undefined> {
    const { repository } = this.#options;
    const path = `/v2/${repository}/blobs/uploads/`;
    const from = this.#mountFrom.shift();
    const query =
      from === undefined ? '' : `?${new URLSearchParams({ mount: this.#descriptor.digest, from })}`;
    const url = await this.#client.url(`${path}${query}`);
    const scopes = from === undefined ? [] : [pullScope(from)];
    const response = await this.#call({ method: 'POST', url, headers: { 'content-length': '0' } }, scopes);
    if (from !== undefined && response.status === 201) {
      await response.body.dump();
      return from;
    }
    // Whoever may not read the other repository is simply not helped by it.
    if (from !== undefined && response.status !== 202) {
      await response.body.dump();
      return this.#begin();
    }
    if (response.status !== 202) throw await this.#failure(response, `POST ${path}`);
    await response.body.dump();
    this.#session = this.#location(response, url);
    this.offset = 0;
    this.#resumedAt = undefined;
    this.#isUnsure = false;
    return undefined;
  }

  /** Asks how far the session got; a registry that has forgotten it, or does not tell, gets everything again. */
  async #findOffset(): Promise<void> {
    const url = this.#session;
    this.#session = undefined;
    if (url === undefined) return;
    const response = await this.#call({ url });
    await response.body.dump();
    const range = /^(?:bytes=)?0-(\d+)$/.exec(headerOf(response, 'range') ?? '');
    if (response.status !== 204 || range === null) return;
    // `0-0` is what registries say of nothing at all.
    const reached = Number(range[1]) === 0 ? 0 : Number(range[1]) + 1;
    if (reached > this.#descriptor.size) return;
    // Nothing came of going on there the last time. The registry may have said why, and closed the connection before that was read.
    if (reached === this.#resumedAt) return;
    this.#resumedAt = reached;
    this.offset = reached;
    this.#session = this.#location(response, url);
  }

  async #send(): Promise<void> {
    const { size } = this.#descriptor;
    if (size <= SMALL_BYTES && this.offset === 0) return await this.#commit(this.#body(0, size));
    while (this.offset < size) await this.#patch(Math.min(size, this.offset + this.#chunkBytes));
    await this.#commit({ headers: { 'content-length': '0' } });
  }

  async #patch(end: number): Promise<void> {
    const url = this.#requireSession();
    const { body, headers } = this.#body(this.offset, end);
    const range = { 'content-range': `${this.offset}-${end - 1}` };
    const response = await this.#call({
      method: 'PATCH',
      url,
      body,
      headers: { ...headers, ...range },
      patienceMs: COMMIT_PATIENCE_MS,
    });
    if (response.status === 413 && this.#chunkBytes > CHUNK_BYTES) {
      await response.body.dump();
      this.#chunkBytes = CHUNK_BYTES;
      throw new TransientFailure(
        new Error(`registry ${this.#client.registry} takes no more than so much at once`),
      );
    }
    if (response.status !== 202) throw await this.#failure(response, `PATCH ${url.pathname}`);
    await response.body.dump();
    this.#session = this.#location(response, url);
    this.offset = end;
  }

  async #commit(content: Pick<HttpRequest, 'body' | 'headers'>): Promise<void> {
    const { digest, size } = this.#descriptor;
    const session = this.#requireSession();
    const url = new URL(session);
    url.searchParams.set('digest', digest);
    const response = await this.#call({ method: 'PUT', url, ...content, patienceMs: COMMIT_PATIENCE_MS });
    if (response.status !== 201) throw await this.#failure(response, `PUT ${session.pathname}`);
    await response.body.dump();
    const got = claimedDigest(response);
    // One by another algorithm, as docker-registry answers, says nothing of this one, which it has been asked to verify.
    if (got !== undefined && digestAlgorithm(got) === digestAlgorithm(digest) && got !== digest) {
      const what = `blob ${digest} at registry ${this.#client.registry}`;
      throw tsrunError('ERR_TSRUN_MISMATCH', { what, property: 'digest', expected: digest, got });
    }
    this.offset = size;
  }

  /** A piece of the blob, as a body that can be made again. */
  #body(start: number, end: number): { body: () => Readable; headers: Record<string, string> } {
    const { read, onProgress } = this.#options;
    async function* counted(): AsyncGenerator<Uint8Array> {
      let sent = start;
      for await (const chunk of read(start, end)) {
        yield chunk;
        sent += chunk.length;
        onProgress?.(sent);
      }
    }
    return {
      body: () => Readable.from(counted(), { objectMode: false }),
      headers: { 'content-type': 'application/octet-stream', 'content-length': String(end - start) },
    };
  }

  #requireSession(): URL {
    if (this.#session === undefined) throw new Error('no upload session');
    return this.#session;
  }

  /** Where the session goes on. A registry behind a proxy that ends TLS for it may not know that it is spoken to by https. */
  #location(response: HttpResponse, from: URL): URL {
    const location = headerOf(response, 'location') ?? '';
    const refuse = (problem: string): Error => {
      const request = `a request for an upload to ${this.#options.repository}`;
      return tsrunError('ERR_TSRUN_REGISTRY_RESPONSE', { registry: this.#client.registry, request, problem });
    };
    if (location === '' || !URL.canParse(location, from.href)) throw refuse('no place for it');
    const to = new URL(location, from);
    if (to.protocol === 'http:' && from.protocol === 'https:' && to.hostname === from.hostname) {
      return new URL(`${to.pathname}${to.search}`, from);
    }
    const isSafe = to.protocol === 'https:' || (to.protocol === 'http:' && from.protocol === 'http:');
    if (!isSafe || leadsInward(from, to)) throw refuse(`a place that is not used (${to.origin})`);
    return to;
  }

  async #call(call: HttpRequest, more: readonly string[] = []): Promise<HttpResponse> {
    const { repository, signal } = this.#options;
    try {
      return await this.#client.send({ ...call, signal }, repository, [pushScope(repository), ...more]);
    } catch (error) {
      // A registry may answer and close the connection while it is still written to.
      const code = (error as NodeJS.ErrnoException).code;
      if (code !== 'EPIPE' && code !== 'ECONNRESET') throw error;
      throw networkFailure(this.#client.registry, call.url, error, { mayPass: true });
    }
  }

  /** A session that the registry does not know any more is begun anew. */
  async #failure(response: HttpResponse, request: string): Promise<Error> {
    const failure = await this.#client.failure(response, this.#options.repository, request, true);
    const isLost = this.#session !== undefined && (response.status === 404 || response.status === 416);
    if (isLost) this.#session = undefined;
    return isLost && !(failure instanceof TransientFailure) ? new TransientFailure(failure) : failure;
  }
}
