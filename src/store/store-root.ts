/** Where the store is. */
import { join, resolve } from 'node:path';
import { homeDirectory } from '../sys/home-directory.ts';

/** Without `//`, `/./`, `/../` and a slash at the end: nearly every path is, and join() would look at each letter of it. */
export const normalPath = (path: string): string =>
  /\/(?:\.{0,2}(?:\/|$))/.test(path) ? join(path, '.').replace(/(?<=.)\/$/, '') : path;

/**
 * `given` (--root), else `tsrun` in $XDG_DATA_HOME: absolute and normal, because supervisors and workers, which outlive the command or work
 * elsewhere, are told of it. The XDG base directory specification wants a relative $XDG_DATA_HOME to be ignored.
 */
export function storeRoot(given?: string, environment: NodeJS.ProcessEnv = process.env): string {
  if (given !== undefined) return given.startsWith('/') ? normalPath(given) : resolve(given);
  const { XDG_DATA_HOME: data } = environment;
  return `${normalPath(data?.startsWith('/') ? data : `${homeDirectory(environment)}/.local/share`)}/tsrun`;
}
