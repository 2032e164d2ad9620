/**
 * Proxies by the usual variables: http_proxy, https_proxy, no_proxy, in small letters first, as curl reads them. As in Go, and so in podman, a
 * proxy may be written without a scheme (`proxy.lan:3128`), and the one for http is none for https.
 */
import { Agent, type Dispatcher, EnvHttpProxyAgent } from 'undici';
import { isLoopback } from './host.ts';

export interface Proxies {
  /** URLs; empty: none. */
  httpProxy: string;
  httpsProxy: string;
  noProxy: string;
}

/** What undici takes, and curl's word for SOCKS with names that the proxy looks up, which undici's always are. */
function proxyUrl(written: string): string {
  if (written === '' || /^\w+:\/\//.test(written)) return written.replace(/^socks5h:/, 'socks5:');
  return `http://${written}`;
}

/** Empty strings keep undici from looking at its own process. */
export function proxySettings(environment: NodeJS.ProcessEnv): Proxies {
  const get = (name: string): string => environment[name] || environment[name.toUpperCase()] || '';
  return {
    httpProxy: proxyUrl(get('http_proxy')),
    httpsProxy: proxyUrl(get('https_proxy')),
    noProxy: get('no_proxy'),
  };
}

/** The proxy by which `url` is asked for, but for what no_proxy says; empty for this machine. */
export function proxyFor(url: URL, proxies: Proxies): string {
  if (isLoopback(url.host)) return '';
  return url.protocol === 'https:' ? proxies.httpsProxy : proxies.httpProxy;
}

/** Connections to the host of `url` and its like, with the proxy that the variables name. */
export function dispatcherFor(
  url: URL,
  environment: NodeJS.ProcessEnv,
  options: { connect?: object; headersTimeout?: number; bodyTimeout?: number } = {},
): Dispatcher {
  const proxies = proxySettings(environment);
  if (proxyFor(url, proxies) === '') return new Agent(options);
  return new EnvHttpProxyAgent({
    ...options,
    ...proxies,
    ...(options.connect && { requestTls: options.connect }),
  });
}
