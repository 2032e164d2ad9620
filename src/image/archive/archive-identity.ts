/** What a policy calls images of this machine's files: transport and path, which is absolute and without symbolic links. */
import { realpathSync, statSync } from 'node:fs';
import type { PolicyIdentity } from '../policy/scopes.ts';
import type { FileSet } from './file-set.ts';
import type { LocalPlace } from './transport.ts';

export function placeIdentity({ transport, path }: LocalPlace): PolicyIdentity {
  return transport === 'docker-archive' ? { transport } : { transport, path: realpathSync(path) };
}

/** @param path undefined: it came by standard input, and no scope of a path is about it */
export function archiveIdentity(files: FileSet, path: string | undefined): PolicyIdentity {
  const isLayout = files.size('index.json') !== undefined;
  if (path === undefined)
    return isLayout ? { transport: 'oci-archive', path: '' } : { transport: 'docker-archive' };
  const isDirectory = statSync(path).isDirectory();
  if (isDirectory) return placeIdentity({ transport: isLayout ? 'oci' : 'dir', path, name: undefined });
  return placeIdentity({ transport: isLayout ? 'oci-archive' : 'docker-archive', path, name: undefined });
}
