/** Registries by name: where they are reached. */

/** docker.io is a name for people; its API is elsewhere. */
const API_HOSTS: Record<string, string> = { 'docker.io': 'registry-1.docker.io' };

/** host[:port] where the API of `registry` is served. */
export function apiHost(registry: string): string {
  return API_HOSTS[registry] ?? registry;
}

/** True for a registry on this machine, which may speak plain http: nobody can listen in between. */
export function isLoopback(registry: string): boolean {
  const host = registry.replace(/:\d+$/, '').toLowerCase();
  if (host === 'localhost' || host.endsWith('.localhost') || host === '[::1]') return true;
  return /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
}
