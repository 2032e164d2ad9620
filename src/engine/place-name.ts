import { existsSync } from 'node:fs';

/**
 * Is `name` a place of this machine (`oci:DIRECTORY`, `docker-archive:FILE`) rather than the name of an image, as `oci:latest` may be?
 * Archives always are: no image is called `oci-archive`, and a file that was mistyped must not be asked for at a registry. `oci:` and
 * `dir:` are when what follows is no mere tag, or when there is such a file.
 */
export function isPlaceName(name: string): boolean {
  const [, transport = '', rest] = /^(oci|oci-archive|docker-archive|dir):(.+)$/s.exec(name) ?? [];
  if (rest === undefined) return false;
  return transport.endsWith('-archive') || /[/:]/.test(rest) || existsSync(rest);
}
