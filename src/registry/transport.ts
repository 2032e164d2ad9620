/**
 * One HTTP request after the other, over undici. Knows proxies, certificates and redirects; knows nothing of registries.
 *
 * Redirects are followed here and not by undici, because what may go along differs: credentials stay with the origin they were
 * meant for (a registry hands blobs over to a CDN), no redirect leads from https down to http, none from elsewhere onto this machine.
 */
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { createSecureContext, type SecureContext } from 'node:tls';
import { type Dispatcher, request } from 'undici';
import { TsrunError, tsrunError } from '../errors.ts';
import { orAborted } from '../sys/or-aborted.ts';
import { apiHost, isLoopback, leadsInward } from './host.ts';
import { networkFailure, tooSlow } from './network-failure.ts';
import { withPlainParser } from './plain-parser.ts';
import { dispatcherFor } from './proxies.ts';
import { systemAuthorities } from './system-authorities.ts';
import { certificateDirectories, type TlsFiles } from './tls-files.ts';

export interface HttpRequest {
  method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH';
  url: URL;
  headers?: Record<string, string>;
  /** Sent to the origin of `url` only. */
  authorization?: string | undefined;
  /** A stream is made anew for each attempt; its headers tell the length. */
  body?: string | Uint8Array | (() => Readable);
  /** How long the first byte of the answer may take, where a minute is not enough. */
  patienceMs?: number;
  signal?: AbortSignal | undefined;
}

export interface HttpResponse {
  status: number;
  headers: Dispatcher.ResponseData['headers'];
  body: Dispatcher.ResponseData['body'];
  /** Where the answer came from in the end. */
  url: URL;
}

/** The first value of a header. */
export function headerOf(response: HttpResponse, name: string): string | undefined {
  const value = response.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** Documents are small; what is larger is an attack or a mistake (distribution-spec: registries may refuse above 4 MiB). */
export const DOCUMENT_LIMIT_BYTES = 4 << 20;
const MAX_REDIRECTS = 5;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
/** Those after which the same request goes to the new place, whatever its method. */
const SAME_METHOD = new Set([307, 308]);

/** How long a server may let us wait, in milliseconds. */
export interface Patience {
  connectMs: number;
  /** For the headers of an answer, and between two pieces of its body. */
  silenceMs: number;
  /** For the whole of a document. */
  documentMs: number;
}

export const DEFAULT_PATIENCE: Patience = { connectMs: 10_000, silenceMs: 60_000, documentMs: 120_000 };

export interface TransportOptions {
  /** Certificates; the authorities are trusted for whatever the registry leads to, the client's own is shown to the registry alone. */
  tls: TlsFiles;
  /** False: whoever answers is believed to be the registry (--tls-verify=false). */
  verify: boolean;
  /** Where proxies are looked up. */
  environment: NodeJS.ProcessEnv;
  patience: Patience;
}

export class Transport {
  readonly #registry: string;
  readonly options: TransportOptions;
  readonly #dispatchers = new Map<string, Dispatcher>();
  /** Something has answered already: a refused connection is then a restart, not a wrong address. */
  #hasAnswered = false;

  constructor(registry: string, options: TransportOptions) {
    this.#registry = registry;
    this.options = options;
  }

  #dispatcherFor(url: URL): Dispatcher {
    const own = new URL(`https://${apiHost(this.#registry)}`);
    const isOwn = url.host === own.host;
    // A token server on another port of the same machine is as little known.
    const isTrusted = !this.options.verify && url.hostname === own.hostname;
    const isDirect = isLoopback(url.host);
    const kind = `${url.protocol} ${isOwn} ${isTrusted} ${isDirect}`;
    let dispatcher = this.#dispatchers.get(kind);
    if (dispatcher === undefined) {
      const { environment, patience } = this.options;
      const connect = {
        timeout: patience.connectMs,
        ...(url.protocol === 'https:' && { secureContext: this.#secureContext(isOwn, isTrusted) }),
        ...(isTrusted && { rejectUnauthorized: false }),
      };
      const options = { connect, headersTimeout: patience.silenceMs, bodyTimeout: patience.silenceMs };
      dispatcher = dispatcherFor(url, environment, options);
      this.#dispatchers.set(kind, dispatcher);
    }
    return dispatcher;
  }

  /**
   * One for all connections: reading the certificates takes a hundred milliseconds, and is left out where nothing is verified.
   * Throws ERR_TSRUN_CERTIFICATES.
   */
  #secureContext(isOwn: boolean, isTrusted: boolean): SecureContext {
    const { tls, environment } = this.options;
    const authorities = isTrusted
      ? { ca: [] }
      : { ca: [...systemAuthorities(environment), ...(tls.ca ?? [])] };
    const { cert, key } = tls;
    try {
      return createSecureContext({ ...authorities, ...(isOwn && cert && key && { cert, key }) });
    } catch (error) {
      const problem = `one of the files of registry ${this.#registry} is no certificate or key`;
      throw tsrunError('ERR_TSRUN_CERTIFICATES', { directory: tls.directory ?? '', problem }, error);
    }
  }

  /** Sends a request and follows redirects. Throws ERR_TSRUN_REGISTRY_UNREACHABLE, or a TransientFailure of it. */
  async send(call: HttpRequest): Promise<HttpResponse> {
    let { url, authorization } = call;
    for (let hops = 0; ; hops++) {
      // Not even on the way back: the other host would choose what is asked for with it.
      if (url.origin !== call.url.origin) authorization = undefined;
      const response = await this.#sendOnce({ ...call, url, authorization });
      const location = headerOf(response, 'location');
      if (!REDIRECTS.has(response.status) || location === undefined) return response;
      const isReading = (call.method ?? 'GET') === 'GET' || call.method === 'HEAD';
      if (!isReading && !SAME_METHOD.has(response.status)) return response;
      await response.body.dump();
      url = this.#redirect(url, location, hops);
    }
  }

  /** Whether a server may send us from one place to another. Throws ERR_TSRUN_REGISTRY_UNREACHABLE. */
  #redirect(from: URL, location: string, hops: number): URL {
    const refuse = (problem: string): Error =>
      networkFailure(this.#registry, from, new Error(problem), { mayPass: false });
    if (hops >= MAX_REDIRECTS) throw refuse(`more than ${MAX_REDIRECTS} redirects`);
    if (!URL.canParse(location, from.href)) throw refuse('redirect to what is not a URL');
    const to = new URL(location, from);
    const isPlain = to.protocol === 'http:';
    if (!isPlain && to.protocol !== 'https:') throw refuse(`redirect to ${to.protocol}`);
    if (isPlain && from.protocol === 'https:') throw refuse(`redirect from https to plain http (${to.host})`);
    if (leadsInward(from, to)) throw refuse(`redirect to an address of this machine (${to.host})`);
    return to;
  }

  async #sendOnce(call: HttpRequest): Promise<HttpResponse> {
    const headers: Record<string, string> = { 'user-agent': 'tsrun', ...call.headers };
    if (call.authorization !== undefined) headers.authorization = call.authorization;
    try {
      const sending = withPlainParser(() =>
        request(call.url, {
          dispatcher: this.#dispatcherFor(call.url),
          method: call.method ?? 'GET',
          headers,
          body: typeof call.body === 'function' ? call.body() : (call.body ?? null),
          signal: call.signal ?? null,
          ...(call.patienceMs === undefined ? {} : { headersTimeout: call.patienceMs }),
        }),
      );
      // undici looks at the signal only when it has a connection, and a server may let it wait for one
      const response = await (call.signal ? orAborted(sending, call.signal) : sending);
      this.#hasAnswered = true;
      return { status: response.statusCode, headers: response.headers, body: response.body, url: call.url };
    } catch (error) {
      call.signal?.throwIfAborted();
      if (error instanceof TsrunError) throw error; // of whoever makes the body
      const { tls, environment } = this.options;
      const [base = ''] = certificateDirectories(environment);
      const certificates = tls.directory ?? join(base, call.url.host);
      throw networkFailure(this.#registry, call.url, error, { mayPass: this.#hasAnswered, certificates });
    }
  }

  /** Ends all connections. */
  async close(): Promise<void> {
    await Promise.all([...this.#dispatchers.values()].map((dispatcher) => dispatcher.destroy()));
  }
}

/**
 * The whole body, at most `limit` bytes; undefined when there are more (the connection is dropped then). A body that comes byte after
 * byte, without end and without a pause that would be a time-out, ends with an error after `deadlineMs`.
 */
export async function readBody(
  response: HttpResponse,
  limit: number,
  deadlineMs = DEFAULT_PATIENCE.documentMs,
): Promise<Buffer | undefined> {
  const end = Date.now() + deadlineMs;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response.body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) return undefined;
    if (Date.now() > end) throw tooSlow(`its answer was not complete after ${deadlineMs / 1000} s`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
