/** Registries by name: where they are reached, and which of them are this machine. */

/** docker.io is a name for people; its API is elsewhere. */
const API_HOSTS: Record<string, string> = { 'docker.io': 'registry-1.docker.io' };

/** host[:port] where the API of `registry` is served. */
export function apiHost(registry: string): string {
  return API_HOSTS[registry] ?? registry;
}

const hostOnly = (host: string): string => host.replace(/:\d+$/, '').toLowerCase();

/** True for a registry on this machine, which may speak plain http: nobody can listen in between. */
export function isLoopback(registry: string): boolean {
  const host = hostOnly(registry);
  if (host === 'localhost' || host.endsWith('.localhost') || host === '[::1]') return true;
  return /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
}

/** Addresses that mean something else on each machine: loopback, "this host", link-local (a cloud's metadata service). */
function isMachineLocal(host: string): boolean {
  const name = hostOnly(host);
  return (
    isLoopback(host) ||
    /^(?:0\.|169\.254\.)\d/.test(name) ||
    /^\[(?:::|fe[89ab][0-9a-f]:.*|::ffff:(?:7f|a9fe:|0:).*)\]$/.test(name)
  );
}

/**
 * True when `from`, a server elsewhere, leads to `to` on this very machine or its link: it cannot know what is there, and may only mean
 * to have us ask for it. (Private networks are another matter: that is where companies keep their blobs.)
 */
export function leadsInward(from: URL, to: URL): boolean {
  return isMachineLocal(to.host) && !isMachineLocal(from.host);
}
