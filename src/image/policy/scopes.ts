/** What a policy can call an image, the most exact scope first (containers-policy.json(5), "Supported transports and their scopes"). */
import { formatReference, type Reference, repositoryName } from '../../spec/reference.ts';

export type PolicyIdentity =
  /** At a registry. The name that was asked for, not that of a mirror. */
  | { transport: 'docker'; reference: Reference }
  /** `path` is absolute, without symbolic links. */
  | { transport: 'oci' | 'oci-archive' | 'dir'; path: string }
  | { transport: 'docker-archive' | 'tarball' };

/** How messages call it. */
export function identityName(identity: PolicyIdentity): string {
  if (identity.transport === 'docker') return formatReference(identity.reference);
  return 'path' in identity ? `${identity.transport}:${identity.path}` : `a ${identity.transport}`;
}

/** From the whole name by repository and namespaces to the host, then `*.` and what is behind each dot of it. */
export function dockerScopes(reference: Reference): string[] {
  const repository = repositoryName(reference);
  const scopes = [formatReference(reference), ...parents(repository)];
  let host = reference.registry.replace(/:\d+$/, '');
  for (let dot = host.indexOf('.'); dot !== -1; dot = host.indexOf('.')) {
    host = host.slice(dot + 1);
    scopes.push(`*.${host}`);
  }
  return scopes;
}

/** `a/b/c`, `a/b`, `a`; of an absolute path without the root. */
function parents(path: string): string[] {
  const found: string[] = [];
  for (let rest = path; rest !== ''; rest = rest.slice(0, Math.max(0, rest.lastIndexOf('/'))))
    found.push(rest);
  return found;
}

/** The transport's default scope, '', is the last. */
export function scopesOf(identity: PolicyIdentity): string[] {
  if (identity.transport === 'docker') return [...dockerScopes(identity.reference), ''];
  return 'path' in identity ? [...parents(identity.path), ''] : [''];
}
