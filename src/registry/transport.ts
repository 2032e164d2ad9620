/**
 * One HTTP request after the other, over undici. Knows proxies, certificates and redirects; knows nothing of registries.
 *
 * Redirects are followed here and not by undici, because what may go along differs: credentials stay with the origin they were
 * meant for (a registry hands blobs over to a CDN), and no redirect leads from https down to http.
 */
import { Agent, type Dispatcher, EnvHttpProxyAgent, request } from 'undici';
import { apiHost, isLoopback } from './host.ts';
import { networkFailure } from './network-failure.ts';
import type { TlsFiles } from './tls-files.ts';

export interface HttpRequest {
  method?: 'GET' | 'HEAD' | 'POST';
  url: URL;
  headers?: Record<string, string>;
  /** Sent to the origin of `url` only. */
  authorization?: string | undefined;
  body?: string;
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

const MAX_REDIRECTS = 5;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const TIMEOUTS = { headersTimeout: 60_000, bodyTimeout: 60_000 };
const CONNECT_TIMEOUT_MS = 10_000;

export class Transport {
  readonly #registry: string;
  readonly #tls: TlsFiles;
  readonly #environment: NodeJS.ProcessEnv;
  readonly #dispatchers = new Map<string, Dispatcher>();
  /** Something has answered already: a refused connection is then a restart, not a wrong address. */
  #hasAnswered = false;

  /** The authorities of `tls` are trusted for whatever the registry leads to; its client certificate is shown to the registry alone. */
  constructor(registry: string, tls: TlsFiles, environment: NodeJS.ProcessEnv) {
    this.#registry = registry;
    this.#tls = tls;
    this.#environment = environment;
  }

  #dispatcherFor(url: URL): Dispatcher {
    const isOwn = url.host === new URL(`https://${apiHost(this.#registry)}`).host;
    const isDirect = isLoopback(url.host);
    const kind = `${isOwn} ${isDirect}`;
    let dispatcher = this.#dispatchers.get(kind);
    if (dispatcher === undefined) {
      const { ca } = this.#tls;
      const connect = {
        timeout: CONNECT_TIMEOUT_MS,
        ...(isOwn ? this.#tls : ca === undefined ? {} : { ca }),
      };
      const options = { connect, ...TIMEOUTS };
      dispatcher = isDirect
        ? new Agent(options)
        : new EnvHttpProxyAgent({ ...options, ...proxySettings(this.#environment), requestTls: connect });
      this.#dispatchers.set(kind, dispatcher);
    }
    return dispatcher;
  }

  /** Sends a request and follows redirects. Throws ERR_TSRUN_REGISTRY_UNREACHABLE, or a TransientFailure of it. */
  async send(call: HttpRequest): Promise<HttpResponse> {
    let { url } = call;
    for (let hops = 0; ; hops++) {
      const authorization = url.origin === call.url.origin ? call.authorization : undefined;
      const response = await this.#sendOnce({ ...call, url, authorization });
      const location = headerOf(response, 'location');
      if (!REDIRECTS.has(response.status) || location === undefined) return response;
      await response.body.dump();
      url = this.#redirect(url, location, hops);
    }
  }

  #redirect(from: URL, location: string, hops: number): URL {
    const refuse = (problem: string): Error =>
      networkFailure(this.#registry, from, new Error(problem), { mayPass: false });
    if (hops >= MAX_REDIRECTS) throw refuse(`more than ${MAX_REDIRECTS} redirects`);
    if (!URL.canParse(location, from.href)) throw refuse('redirect to what is not a URL');
    const to = new URL(location, from);
    const isPlain = to.protocol === 'http:';
    if (!isPlain && to.protocol !== 'https:') throw refuse(`redirect to ${to.protocol}`);
    if (isPlain && from.protocol === 'https:') throw refuse(`redirect from https to plain http (${to.host})`);
    return to;
  }

  async #sendOnce(call: HttpRequest): Promise<HttpResponse> {
    const headers: Record<string, string> = { 'user-agent': 'tsrun', ...call.headers };
    if (call.authorization !== undefined) headers.authorization = call.authorization;
    try {
      const sending = request(call.url, {
        dispatcher: this.#dispatcherFor(call.url),
        method: call.method ?? 'GET',
        headers,
        body: call.body ?? null,
        signal: call.signal ?? null,
      });
      const response = await (call.signal ? orAborted(sending, call.signal) : sending);
      this.#hasAnswered = true;
      return { status: response.statusCode, headers: response.headers, body: response.body, url: call.url };
    } catch (error) {
      call.signal?.throwIfAborted();
      throw networkFailure(this.#registry, call.url, error, { mayPass: this.#hasAnswered });
    }
  }

  /** Ends all connections. */
  async close(): Promise<void> {
    await Promise.all([...this.#dispatchers.values()].map((dispatcher) => dispatcher.destroy()));
  }
}

/** undici looks at the signal of a request only when it has a connection, and a server may let it wait for one. */
async function orAborted<T>(sending: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal.reason);
  signal.addEventListener('abort', abort);
  if (signal.aborted) abort();
  sending.catch(() => undefined); // nobody may wait for it any more
  try {
    return await Promise.race([sending, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** Proxies by the usual variables; lowercase counts first, as in curl. Empty strings keep undici from looking at its own process. */
function proxySettings(environment: NodeJS.ProcessEnv): {
  httpProxy: string;
  httpsProxy: string;
  noProxy: string;
} {
  const get = (name: string): string => environment[name] || environment[name.toUpperCase()] || '';
  return { httpProxy: get('http_proxy'), httpsProxy: get('https_proxy'), noProxy: get('no_proxy') };
}

/** The whole body, at most `limit` bytes; undefined when there are more (the connection is dropped then). */
export async function readBody(response: HttpResponse, limit: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response.body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
