import { existsSync } from 'node:fs';

/**
 * Is `name` a place of this machine (`oci:DIRECTORY`, `docker-archive:FILE`) rather than the name of an image, as `oci:latest` may be?
 * It is when it has a slash, or when there is such a file.
 */
export function isPlaceName(name: string): boolean {
  const [, rest] = /^(?:oci|oci-archive|docker-archive|dir):(.+)$/s.exec(name) ?? [];
  return rest !== undefined && (rest.includes('/') || existsSync(rest.split(':', 1)[0] ?? ''));
}
