/** Where a registry's API is, and whether it speaks TLS. */

import { apiHost, isLoopback } from './host.ts';
import { networkErrorCode, networkFailure } from './network-failure.ts';
import { proxyFor, proxySettings } from './proxies.ts';
import { TransientFailure } from './retry.ts';
import { speaksTls } from './tls-greeting.ts';
import type { Transport } from './transport.ts';

/** What a server that speaks plain http makes of a TLS greeting: an answer that is no TLS (an alert is one), or a closed connection. */
const NO_TLS = /^(?:ERR_SSL_(?!.*ALERT).*|EPROTO|ECONNRESET|EPIPE|UND_ERR_SOCKET)$/;
/** What a direct way ends in where only the proxy for http leads outside. */
const NO_WAY =
  /^(?:ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ECONNREFUSED|UND_ERR_CONNECT_TIMEOUT|ETIMEDOUT)$/;
/** The proxy leads to no such port. */
const PROXY_REFUSES = 'UND_ERR_ABORTED';
/** Nobody listens where https would be. */
const NOBODY = /^(?:ECONNREFUSED|UND_ERR_CONNECT_TIMEOUT|ETIMEDOUT)$/;

/**
 * The base URL of a registry: https; http if nothing there speaks TLS, and that is either allowed (`tlsVerify` false) or, when nothing
 * was said, on this machine. A certificate that cannot be verified does not lead to plain http: `probe` verifies none, so that it sees
 * TLS where it is spoken, and whoever sends more than this greeting verifies.
 */
export async function probeEndpoint(
  registry: string,
  probe: Transport,
  tlsVerify: boolean | undefined,
  signal?: AbortSignal,
): Promise<URL> {
  const host = apiHost(registry);
  const secure = new URL(`https://${host}`);
  if (tlsVerify ?? !isLoopback(registry)) return secure;
  const plain = new URL(`http://${host}`);
  try {
    return (await isSecure(registry, secure, probe, signal)) ? secure : plain;
  } catch (error) {
    const failure = error instanceof TransientFailure ? error.failure : error;
    const code = networkErrorCode(failure) ?? '';
    // A port that was written is the registry's, whatever it speaks; without one, plain http has a port of its own.
    const isElsewhere = secure.port === '' && NOBODY.test(code);
    const hasProxy = proxyFor(plain, proxySettings(probe.options.environment)) !== '';
    const isBehindProxy = code === PROXY_REFUSES || (hasProxy && NO_WAY.test(code));
    if (NO_TLS.test(code) || (tlsVerify === false && (isElsewhere || isBehindProxy))) return plain;
    throw error;
  }
}

/** On this machine a greeting tells; elsewhere there may be a proxy on the way. Throws, or throws an error of NO_TLS, where a request does. */
async function isSecure(
  registry: string,
  secure: URL,
  probe: Transport,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  if (isLoopback(registry)) {
    try {
      return await speaksTls(secure, probe.options.patience.connectMs, signal);
    } catch (error) {
      signal?.throwIfAborted();
      throw networkFailure(registry, secure, error, { mayPass: false });
    }
  }
  const response = await probe.send({ url: new URL('/v2/', secure), signal });
  await response.body.dump();
  return true;
}
