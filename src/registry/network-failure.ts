/** Failures below HTTP: which may pass by themselves, and what to say of the others. */
import { tsrunError } from '../errors.ts';
import { TransientFailure } from './retry.ts';

/** Broken connections: worth another try. */
const MAY_PASS = new Set([
  'ECONNRESET',
  'EPIPE',
  'UND_ERR_SOCKET',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
  'ERR_TOO_SLOW',
]);
/** Worth another try only if the host has answered before: a machine without a network should be told so at once. */
const MAY_PASS_LATER = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENETDOWN',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** A server that sends, but so little that it may go on for ever. */
export function tooSlow(problem: string): Error {
  return Object.assign(new Error(problem), { code: 'ERR_TOO_SLOW' });
}

/** The code of the innermost error that has one: undici and happy eyeballs wrap what the system said. */
export function networkErrorCode(error: unknown): string | undefined {
  let found: string | undefined;
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    const inner: unknown = at instanceof AggregateError ? at.errors[0] : undefined;
    const code = (inner as NodeJS.ErrnoException | undefined)?.code ?? (at as NodeJS.ErrnoException).code;
    if (typeof code === 'string') found = code;
  }
  return found;
}

function hintFor(code: string | undefined, url: URL, certificates: string): string | undefined {
  if (code === undefined) return undefined;
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `getent hosts ${url.hostname}`;
  if (/CERT|SELF_SIGNED|VERIFY|ISSUER/.test(code)) {
    return `put the registry's CA certificate into ${certificates}/ca.crt`;
  }
  // What is no TLS at all: the library's own words name its source files.
  if (/WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG/.test(code)) {
    return `--tls-verify=false   # if it speaks plain http; or insecure = true for ${url.host} in registries.conf`;
  }
  return `curl -v ${url.origin}/v2/`;
}

export interface FailureContext {
  mayPass: boolean;
  /** Where the host's certificates are looked for. */
  certificates?: string | undefined;
}

/** Wraps what went wrong with a request. A failure that may pass comes as a TransientFailure. */
export function networkFailure(registry: string, url: URL, cause: unknown, state: FailureContext): Error {
  const code = networkErrorCode(cause);
  const certificates = state.certificates ?? `~/.config/containers/certs.d/${url.host}`;
  const data = { registry, url: url.origin, hint: hintFor(code, url, certificates) };
  const failure = tsrunError('ERR_TSRUN_REGISTRY_UNREACHABLE', data, cause);
  if (code === undefined) return failure;
  const isTransient = MAY_PASS.has(code) || (state.mayPass && MAY_PASS_LATER.has(code));
  return isTransient ? new TransientFailure(failure) : failure;
}
