/**
 * One registry's API (distribution specification): documents by tag or digest, blobs from any offset. What else it can do is in
 * files of their own, which lean on send() here: upload-blob.ts, list-registry.ts, check-login.ts.
 *
 * A client is for one registry, and is closed when the work is done.
 */
import { tsrunError } from '../errors.ts';
import { isDigest } from '../spec/digest.ts';
import type { Descriptor, Digest } from '../spec/image.ts';
import { ACCEPTED_DOCUMENTS } from '../spec/media-types.ts';
import { Authenticator, type CredentialSource } from './authenticator.ts';
import { probeEndpoint } from './endpoint.ts';
import { leadsInward } from './host.ts';
import { readListPage } from './list-page.ts';
import { networkFailure } from './network-failure.ts';
import { responseFailure } from './response-failure.ts';
import { DEFAULT_RETRY, type RetryPolicy, withRetries } from './retry.ts';
import { pullScope } from './scope.ts';
import type { TlsFiles } from './tls-files.ts';
import {
  DEFAULT_PATIENCE,
  DOCUMENT_LIMIT_BYTES,
  type HttpRequest,
  type HttpResponse,
  headerOf,
  type Patience,
  readBody,
  Transport,
} from './transport.ts';

/** Enough to tell what there is, in the hint of an error. */
const TAGS_SHOWN = 10;

export interface RegistryClientOptions {
  registry: string;
  credentials: CredentialSource;
  tls?: TlsFiles;
  /** --tls-verify; undefined: certificates are verified, and on this machine plain http is as good. */
  tlsVerify?: boolean | undefined;
  patience?: Patience | undefined;
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

const NOTHING: AsyncIterable<Uint8Array> = {
  [Symbol.asyncIterator]: () => ({ next: async () => ({ done: true, value: undefined }) }),
};

export class RegistryClient {
  readonly registry: string;
  readonly retry: RetryPolicy;
  readonly patience: Patience;
  readonly #options: RegistryClientOptions;
  readonly #transport: Transport;
  readonly #authenticator: Authenticator;
  #endpoint: Promise<URL> | undefined;

  constructor(options: RegistryClientOptions) {
    this.#options = options;
    this.registry = options.registry;
    this.retry = options.retry ?? DEFAULT_RETRY;
    this.patience = options.patience ?? DEFAULT_PATIENCE;
    this.#transport = new Transport(options.registry, {
      tls: options.tls ?? {},
      verify: options.tlsVerify !== false,
      environment: options.environment,
      patience: this.patience,
    });
    this.#authenticator = new Authenticator(options.registry, this.#transport, options.credentials);
  }

  async close(): Promise<void> {
    await this.#transport.close();
  }

  /** The URL of a path of the API; where the registry is, is found out at the first call. */
  async url(path: string): Promise<URL> {
    this.#endpoint ??= this.#findEndpoint().catch((error: unknown) => {
      this.#endpoint = undefined; // the next attempt probes again
      throw error;
    });
    return new URL(path, await this.#endpoint);
  }

  async #findEndpoint(): Promise<URL> {
    const { tlsVerify, signal } = this.#options;
    const probe = new Transport(this.registry, { ...this.#transport.options, verify: false });
    try {
      return await probeEndpoint(this.registry, probe, tlsVerify, signal);
    } finally {
      await probe.close();
    }
  }

  /** Sends a request with what login there is; without any to a place that is not the registry itself. */
  async send(call: HttpRequest, repository: string, scopes: readonly string[]): Promise<HttpResponse> {
    const { origin } = await this.url('/');
    const signal = call.signal ?? this.#options.signal;
    return call.url.origin === origin
      ? this.#authenticator.send({ ...call, signal }, repository, scopes)
      : this.#transport.send({ ...call, signal });
  }

  /** A login was asked for, and given. */
  get hasLoggedIn(): boolean {
    return this.#authenticator.hasGrant;
  }

  /** The error for an answer that is no success. */
  async failure(
    response: HttpResponse,
    repository: string,
    request: string,
    writing = false,
  ): Promise<Error> {
    const withCredentials = await this.#authenticator.hasCredentials(repository);
    const { registry } = this;
    return responseFailure(response, { registry, repository, request, withCredentials, writing });
  }

  /** Runs `attempt` again while it fails in a way that may pass. */
  retrying<T>(attempt: () => Promise<T>): Promise<T> {
    const { onRetry, signal } = this.#options;
    return withRetries(attempt, { policy: this.retry, onRetry, signal });
  }

  /** Fetches an index or manifest. Throws ERR_TSRUN_TAG_UNKNOWN, ERR_TSRUN_REPOSITORY_UNKNOWN, ERR_TSRUN_REGISTRY_…. */
  document(repository: string, reference: string): Promise<FetchedDocument> {
    return this.retrying(async () => {
      const response = await this.#askForManifest('GET', repository, reference);
      const request = `GET ${manifestPath(repository, reference)}`;
      if (response.status === 404) throw await this.#notFound(response, repository, reference);
      if (response.status !== 200) throw await this.failure(response, repository, request);
      const bytes = await readBody(response, DOCUMENT_LIMIT_BYTES, this.patience.documentMs);
      if (bytes === undefined) {
        throw tsrunError('ERR_TSRUN_REGISTRY_RESPONSE', {
          registry: this.registry,
          request,
          problem: `more than ${DOCUMENT_LIMIT_BYTES >> 20} MiB`,
        });
      }
      // Only then does undici use the connection again; what is asked for next would make another, and greet TLS again.
      await new Promise(setImmediate);
      const contentType = headerOf(response, 'content-type');
      return { bytes, contentType, claimedDigest: claimedDigest(response) };
    });
  }

  /**
   * The digest that a tag means now, without fetching it (which does not count against docker.io's limit). Undefined when the registry
   * does not say, also when it refuses: document() then brings its words.
   */
  digestOf(repository: string, reference: string): Promise<Digest | undefined> {
    return this.retrying(async () => {
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
    const call = blobRequest(await this.url(path), offset, signal);
    return this.#blobBody(
      await this.send(call, repository, [pullScope(repository)]),
      repository,
      `GET ${path}`,
      offset,
    );
  }

  /** As blob(), from one of a foreign layer's own addresses, without any login. */
  async foreignBlob(url: URL, repository: string, offset: number, signal?: AbortSignal): Promise<BlobBody> {
    if (leadsInward(await this.url('/'), url)) {
      const cause = new Error(`its address is one of this machine (${url.host})`);
      throw networkFailure(this.registry, url, cause, { mayPass: false });
    }
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
    throw await this.failure(response, repository, request);
  }

  async #askForManifest(
    method: 'GET' | 'HEAD',
    repository: string,
    reference: string,
  ): Promise<HttpResponse> {
    const url = await this.url(manifestPath(repository, reference));
    const headers = { accept: ACCEPTED_DOCUMENTS.join(', ') };
    return this.send({ method, url, headers }, repository, [pullScope(repository)]);
  }

  /** Registries answer 404 with one code for a missing tag and a missing repository alike: the list of tags tells them apart. */
  async #notFound(response: HttpResponse, repository: string, reference: string): Promise<Error> {
    const generic = await this.failure(response, repository, `GET ${manifestPath(repository, reference)}`);
    const tags = await this.#someTags(repository);
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

  /** Undefined when there is no such repository or the registry does not tell. */
  async #someTags(repository: string): Promise<string[] | undefined> {
    const url = await this.url(`/v2/${repository}/tags/list?n=${TAGS_SHOWN}`);
    const response = await this.send({ url }, repository, [pullScope(repository)]);
    if (response.status === 200)
      return (await readListPage(response, 'tags', this.patience.documentMs))?.slice(0, TAGS_SHOWN);
    await response.body.dump();
    return undefined;
  }
}

/** The path of a manifest. */
export const manifestPath = (repository: string, reference: string): string =>
  `/v2/${repository}/manifests/${reference}`;

/** The digest that a server says an answer has. */
export function claimedDigest(response: HttpResponse): Digest | undefined {
  const digest = headerOf(response, 'docker-content-digest');
  return isDigest(digest) ? digest : undefined;
}

function blobRequest(url: URL, offset: number, signal: AbortSignal | undefined): HttpRequest {
  const headers: Record<string, string> = { 'accept-encoding': 'identity' };
  if (offset > 0) headers.range = `bytes=${offset}-`;
  return { url, headers, signal };
}
