/**
 * The pulling half of the distribution specification: documents by tag or digest, blobs from any offset, tags.
 *
 * A client is for one registry, and is closed when the work is done.
 */
import { tsrunError } from '../errors.ts';
import { isDigest } from '../spec/digest.ts';
import type { Descriptor, Digest } from '../spec/image.ts';
import { ACCEPTED_DOCUMENTS } from '../spec/media-types.ts';
import { Authenticator, type CredentialSource } from './authenticator.ts';
import { probeEndpoint } from './endpoint.ts';
import { responseFailure } from './response-failure.ts';
import { DEFAULT_RETRY, type RetryPolicy, withRetries } from './retry.ts';
import type { TlsFiles } from './tls-files.ts';
import { type HttpRequest, type HttpResponse, headerOf, readBody, Transport } from './transport.ts';

export interface RegistryClientOptions {
  registry: string;
  credentials: CredentialSource;
  tls?: TlsFiles;
  /** Where proxies are looked up. */
  environment: NodeJS.ProcessEnv;
  retry?: RetryPolicy;
  /** A request failed and is tried again. */
  onRetry?: (failure: Error, delayMs: number) => void;
  signal?: AbortSignal | undefined;
}

/** An index or manifest as it was served. */
export interface FetchedDocument {
  bytes: Buffer;
  contentType: string | undefined;
  /** As the server names it, unverified. */
  claimedDigest: Digest | undefined;
}

export interface BlobBody {
  /** Where in the blob the body starts: what was asked for, or 0 when the server cannot resume. */
  offset: number;
  /** Size of the whole blob as the server has it, if it says so. */
  totalSize: number | undefined;
  chunks: AsyncIterable<Uint8Array>;
  /** Where it comes from in the end. */
  url: URL;
}

/** Documents are small; what is larger is an attack or a mistake (distribution-spec: registries may refuse above 4 MiB). */
export const DOCUMENT_LIMIT_BYTES = 4 << 20;
const TAGS_SHOWN = 10;
const NOTHING: AsyncIterable<Uint8Array> = {
  [Symbol.asyncIterator]: () => ({ next: async () => ({ done: true, value: undefined }) }),
};

export class RegistryClient {
  readonly registry: string;
  readonly retry: RetryPolicy;
  readonly #options: RegistryClientOptions;
  readonly #transport: Transport;
  readonly #authenticator: Authenticator;
  #endpoint: Promise<URL> | undefined;

  constructor(options: RegistryClientOptions) {
    this.#options = options;
    this.registry = options.registry;
    this.retry = options.retry ?? DEFAULT_RETRY;
    this.#transport = new Transport(options.registry, options.tls ?? {}, options.environment);
    this.#authenticator = new Authenticator(options.registry, this.#transport, options.credentials);
  }

  async close(): Promise<void> {
    await this.#transport.close();
  }

  /** Fetches an index or manifest. Throws ERR_TSRUN_TAG_UNKNOWN, ERR_TSRUN_REPOSITORY_UNKNOWN, ERR_TSRUN_REGISTRY_…. */
  document(repository: string, reference: string): Promise<FetchedDocument> {
    return this.#retrying(async () => {
      const response = await this.#askForManifest('GET', repository, reference);
      const request = `GET ${manifestPath(repository, reference)}`;
      if (response.status === 404) throw await this.#notFound(response, repository, reference);
      if (response.status !== 200) throw await this.#failure(response, repository, request);
      const bytes = await readBody(response, DOCUMENT_LIMIT_BYTES);
      if (bytes === undefined) {
        throw tsrunError('ERR_TSRUN_REGISTRY_RESPONSE', {
          registry: this.registry,
          request,
          problem: `more than ${DOCUMENT_LIMIT_BYTES >> 20} MiB`,
        });
      }
      const contentType = headerOf(response, 'content-type');
      return { bytes, contentType, claimedDigest: claimedDigest(response) };
    });
  }

  /**
   * The digest that a tag means now, without fetching it (which does not count against docker.io's limit). Undefined when the registry
   * does not say, also when it refuses: document() then brings its words.
   */
  digestOf(repository: string, reference: string): Promise<Digest | undefined> {
    return this.#retrying(async () => {
      const response = await this.#askForManifest('HEAD', repository, reference);
      await response.body.dump();
      return response.status === 200 ? claimedDigest(response) : undefined;
    });
  }

  /** Starts fetching a blob from byte `offset`. Not retried here: whoever reads it knows how far it got. */
  async blob(
    repository: string,
    descriptor: Descriptor,
    offset: number,
    signal?: AbortSignal,
  ): Promise<BlobBody> {
    const path = `/v2/${repository}/blobs/${descriptor.digest}`;
    const url = new URL(path, await this.#findEndpoint());
    const call = blobRequest(url, offset, signal ?? this.#options.signal);
    return this.#blobBody(
      await this.#authenticator.send(call, repository),
      repository,
      `GET ${path}`,
      offset,
    );
  }

  /** As blob(), from one of a foreign layer's own addresses, without any login. */
  async foreignBlob(url: URL, repository: string, offset: number, signal?: AbortSignal): Promise<BlobBody> {
    const response = await this.#transport.send(blobRequest(url, offset, signal ?? this.#options.signal));
    return this.#blobBody(response, repository, `GET ${url.origin}${url.pathname}`, offset);
  }

  async #blobBody(
    response: HttpResponse,
    repository: string,
    request: string,
    offset: number,
  ): Promise<BlobBody> {
    const chunks = response.body as AsyncIterable<Uint8Array>;
    const { url } = response;
    const length = Number(headerOf(response, 'content-length') ?? Number.NaN);
    if (response.status === 200) {
      return { offset: 0, totalSize: Number.isNaN(length) ? undefined : length, chunks, url };
    }
    if (response.status === 206) {
      const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headerOf(response, 'content-range') ?? '');
      if (range !== null && Number(range[1]) === offset) {
        return { offset, totalSize: range[2] === '*' ? undefined : Number(range[2]), chunks, url };
      }
    }
    if (response.status === 416) {
      const total = /^bytes \*\/(\d+)$/.exec(headerOf(response, 'content-range') ?? '')?.[1];
      await response.body.dump();
      return {
        offset,
        totalSize: total === undefined ? offset : Number(total),
        chunks: NOTHING,
        url,
      };
    }
    throw await this.#failure(response, repository, request);
  }

  /** Some tags of a repository; undefined when there is no such repository or the registry does not tell. */
  async tags(repository: string): Promise<string[] | undefined> {
    const url = new URL(`/v2/${repository}/tags/list?n=${TAGS_SHOWN}`, await this.#findEndpoint());
    const response = await this.#authenticator.send({ url, signal: this.#options.signal }, repository);
    const body = await readBody(response, DOCUMENT_LIMIT_BYTES);
    if (response.status !== 200 || body === undefined) return undefined;
    try {
      const { tags } = JSON.parse(body.toString('utf8')) as { tags?: unknown };
      const isTag = (tag: unknown): tag is string =>
        typeof tag === 'string' && /^[\w][\w.-]{0,127}$/.test(tag);
      return Array.isArray(tags) ? tags.filter(isTag).slice(0, TAGS_SHOWN) : [];
    } catch {
      return undefined;
    }
  }

  async #askForManifest(
    method: 'GET' | 'HEAD',
    repository: string,
    reference: string,
  ): Promise<HttpResponse> {
    const url = new URL(manifestPath(repository, reference), await this.#findEndpoint());
    const headers = { accept: ACCEPTED_DOCUMENTS.join(', ') };
    return this.#authenticator.send({ method, url, headers, signal: this.#options.signal }, repository);
  }

  /** Registries answer 404 with one code for a missing tag and a missing repository alike: the list of tags tells them apart. */
  async #notFound(response: HttpResponse, repository: string, reference: string): Promise<Error> {
    const generic = await this.#failure(response, repository, `GET ${manifestPath(repository, reference)}`);
    const tags = await this.tags(repository);
    const { cause } = generic;
    if (tags === undefined)
      return tsrunError('ERR_TSRUN_REPOSITORY_UNKNOWN', { registry: this.registry, repository }, cause);
    const wanted = isDigest(reference) ? `image ${reference}` : `tag ${reference}`;
    return tsrunError(
      'ERR_TSRUN_TAG_UNKNOWN',
      { repository: `${this.registry}/${repository}`, wanted, tags },
      cause,
    );
  }

  async #failure(response: HttpResponse, repository: string, request: string): Promise<Error> {
    const withCredentials = await this.#authenticator.hasCredentials(repository);
    return responseFailure(response, { registry: this.registry, repository, request, withCredentials });
  }

  #findEndpoint(): Promise<URL> {
    this.#endpoint ??= probeEndpoint(this.registry, this.#transport, this.#options.signal).catch(
      (error: unknown) => {
        this.#endpoint = undefined; // the next attempt probes again
        throw error;
      },
    );
    return this.#endpoint;
  }

  #retrying<T>(attempt: () => Promise<T>): Promise<T> {
    const { onRetry, signal } = this.#options;
    return withRetries(attempt, { policy: this.retry, onRetry, signal });
  }
}

const manifestPath = (repository: string, reference: string): string =>
  `/v2/${repository}/manifests/${reference}`;

function claimedDigest(response: HttpResponse): Digest | undefined {
  const digest = headerOf(response, 'docker-content-digest');
  return isDigest(digest) ? digest : undefined;
}

function blobRequest(url: URL, offset: number, signal: AbortSignal | undefined): HttpRequest {
  const headers: Record<string, string> = { 'accept-encoding': 'identity' };
  if (offset > 0) headers.range = `bytes=${offset}-`;
  return { url, headers, signal };
}
