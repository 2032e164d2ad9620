/**
 * Logging in to a registry (distribution's token specification).
 *
 *   tsrun ── GET /v2/a/b/manifests/x ──► registry
 *         ◄─ 401  Bearer realm,service,scope ──
 *         ── GET realm?service&scope  [Basic] ──► token server
 *         ◄─ { token, expires_in } ──
 *         ── GET … Authorization: Bearer token ──► registry
 *
 * Tokens are kept for each scope while they are valid, and fetched anew when the registry refuses one in the middle of a pull.
 * A registry that asks for Basic gets the login with each request.
 */
import { tsrunError } from '../errors.ts';
import { parseForeignJson } from '../spec/foreign-json.ts';
import type { Credentials } from './auth-file.ts';
import { type Challenge, parseChallenges } from './challenge.ts';
import { leadsInward } from './host.ts';
import { responseFailure } from './response-failure.ts';
import { mergeScopes } from './scope.ts';
import { type HttpRequest, type HttpResponse, readBody, type Transport } from './transport.ts';

export type CredentialSource = (repository: string) => Promise<Credentials | undefined>;

interface Grant {
  /** Value of the Authorization header. */
  authorization: string;
  /** Milliseconds since 1970. */
  expiresAt: number;
}

const TOKEN_LIMIT_BYTES = 1 << 20;
const DEFAULT_TOKEN_SECONDS = 60;
/** A token is not used in its last moments, as it may end on the way. */
const MARGIN_MS = 5_000;

export class Authenticator {
  readonly #registry: string;
  readonly #transport: Transport;
  readonly #credentials: CredentialSource;
  readonly #grants = new Map<string, Promise<Grant>>();

  constructor(registry: string, transport: Transport, credentials: CredentialSource) {
    this.#registry = registry;
    this.#transport = transport;
    this.#credentials = credentials;
  }

  /**
   * Sends a request that needs `scopes` (scope.ts), answering challenges. A 401 that remains is returned like any other answer.
   * `repository` is '' when the request is about none.
   */
  async send(call: HttpRequest, repository: string, scopes: readonly string[]): Promise<HttpResponse> {
    const scope = scopes.join(' ');
    let grant = await this.#validGrant(scope);
    // Twice: a kept token may be refused although it should be valid; a fresh one that is refused will not get better.
    for (let answers = 0; ; answers++) {
      const response = await this.#transport.send({ ...call, authorization: grant?.authorization });
      if (response.status !== 401 || response.url.origin !== call.url.origin || answers === 2)
        return response;
      const challenges = parseChallenges(response.headers['www-authenticate']);
      const next = await this.#answer(challenges, call.url, repository, scope, grant);
      if (next === undefined || next.authorization === grant?.authorization) return response;
      await response.body.dump();
      grant = next;
    }
  }

  /** Some challenge was met. */
  get hasGrant(): boolean {
    return this.#grants.size > 0;
  }

  async hasCredentials(repository: string): Promise<boolean> {
    return (await this.#credentials(repository)) !== undefined;
  }

  async #validGrant(scope: string): Promise<Grant | undefined> {
    const kept = await this.#grants.get(scope);
    return kept !== undefined && kept.expiresAt > Date.now() ? kept : undefined;
  }

  /** A grant other than `refused`, shared by all requests that wait for one; undefined when the challenges cannot be met. */
  async #answer(
    challenges: Challenge[],
    url: URL,
    repository: string,
    scope: string,
    refused: Grant | undefined,
  ): Promise<Grant | undefined> {
    const known = await this.#validGrant(scope);
    if (known !== undefined && known.authorization !== refused?.authorization) return known;
    const bearer = challenges.find((c) => c.scheme === 'bearer' && c.parameters.realm !== undefined);
    const credentials = await this.#credentials(repository);
    let grant: Promise<Grant> | undefined;
    if (bearer !== undefined) {
      grant = this.#fetchToken(bearer, url, repository, scope, credentials);
    } else if (
      challenges.some((c) => c.scheme === 'basic') &&
      credentials !== undefined &&
      'username' in credentials
    ) {
      grant = Promise.resolve({ authorization: basic(credentials), expiresAt: Number.POSITIVE_INFINITY });
    }
    if (grant === undefined) return undefined;
    this.#grants.set(scope, grant);
    try {
      return await grant;
    } catch (error) {
      this.#grants.delete(scope);
      throw error;
    }
  }

  async #fetchToken(
    challenge: Challenge,
    url: URL,
    repository: string,
    scope: string,
    credentials: Credentials | undefined,
  ): Promise<Grant> {
    const realm = this.#realm(challenge, url);
    const response = await this.#transport.send(tokenRequest(realm, challenge, scope, credentials));
    const request = `GET ${realm.origin}${realm.pathname}`;
    if (response.status !== 200) {
      const withCredentials = credentials !== undefined;
      throw await responseFailure(response, {
        registry: this.#registry,
        repository,
        request,
        withCredentials,
      });
    }
    const body = await readBody(response, TOKEN_LIMIT_BYTES, this.#transport.options.patience.documentMs);
    const token = parseToken(body?.toString('utf8') ?? '');
    if (token === undefined) {
      const problem = 'something that holds no token';
      throw tsrunError('ERR_TSRUN_REGISTRY_RESPONSE', { registry: this.#registry, request, problem });
    }
    return { authorization: `Bearer ${token.token}`, expiresAt: Date.now() + token.lifetimeMs - MARGIN_MS };
  }

  /** The token server. Over plain http a login could be overheard, unless the registry itself is reached that way. */
  #realm(challenge: Challenge, url: URL): URL {
    const realm = challenge.parameters.realm ?? '';
    const parsed = URL.canParse(realm) ? new URL(realm) : undefined;
    const isSafe =
      parsed?.protocol === 'https:' || (parsed?.protocol === 'http:' && url.protocol === 'http:');
    if (parsed !== undefined && isSafe && !leadsInward(url, parsed)) return parsed;
    throw tsrunError('ERR_TSRUN_REGISTRY_RESPONSE', {
      registry: this.#registry,
      request: `GET ${url.origin}${url.pathname}`,
      problem: `a token server that is not used: "${realm}"`,
    });
  }
}

function basic(login: { username: string; password: string }): string {
  return `Basic ${Buffer.from(`${login.username}:${login.password}`).toString('base64')}`;
}

function tokenRequest(
  realm: URL,
  challenge: Challenge,
  scope: string,
  credentials: Credentials | undefined,
): HttpRequest {
  const { service } = challenge.parameters;
  // What we know to be needed, and what the registry says besides: for a push it may name the reading half only.
  const scopes = mergeScopes([scope, challenge.parameters.scope ?? '']);
  if (credentials !== undefined && 'identityToken' in credentials) {
    const form = new URLSearchParams({
      grant_type: 'refresh_token',
      client_id: 'tsrun',
      scope: scopes.join(' '),
      refresh_token: credentials.identityToken,
    });
    if (service !== undefined) form.set('service', service);
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    return { method: 'POST', url: realm, headers, body: form.toString() };
  }
  const url = new URL(realm);
  if (service !== undefined) url.searchParams.set('service', service);
  for (const each of scopes) url.searchParams.append('scope', each);
  return { url, authorization: credentials && basic(credentials) };
}

function parseToken(text: string): { token: string; lifetimeMs: number } | undefined {
  let value: { token?: unknown; access_token?: unknown; expires_in?: unknown } | null;
  try {
    value = parseForeignJson(text) as typeof value;
  } catch {
    return undefined;
  }
  const token = value?.token || value?.access_token;
  // A token goes into a header: nothing that could end it.
  if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token)) return undefined;
  const seconds = typeof value?.expires_in === 'number' ? value.expires_in : DEFAULT_TOKEN_SECONDS;
  return { token, lifetimeMs: seconds * 1000 };
}
