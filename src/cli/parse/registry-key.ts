/** What `login` and `logout` are told: a registry, or a part of one. */
import { DEFAULT_REGISTRY, parseName } from '../../spec/reference.ts';
import { usageError } from './usage.ts';

/** `https://quay.io/` → `quay.io`, `index.docker.io/v1` → `docker.io`; none is docker.io. Throws ERR_TSRUN_USAGE. */
export function parseRegistryKey(written = DEFAULT_REGISTRY): string {
  const text = written.replace(/^(?:https?|docker):\/\//, '').replace(/\/(?:v[12]\/?)?$/, '');
  if (/^(?:index|registry-1)\.docker\.io$/.test(text)) return DEFAULT_REGISTRY;
  const [registry = '', ...path] = text.split('/');
  try {
    // A registry is whatever may stand before the first slash of a name.
    const { tag, digest, registry: host } = parseName(`${registry}/${path.join('/') || 'x'}`);
    if (host !== undefined && tag === undefined && digest === undefined) return text;
  } catch {
    // Said below, in words that fit a registry.
  }
  throw usageError(`"${written}" is not a registry (host[:port][/path])`, 'tsrun login quay.io');
}
