/** Use case: `tsrun system reset`: nothing of the store is left, whatever state it was in. */
import { chmodSync, readdirSync, rmdirSync } from 'node:fs';
import { removeTreeInside } from '../rootless/enter.ts';
import { containersDirectory, storeEntries, temporaryDirectory } from '../store/paths.ts';
import { killSupervisors } from './kill-supervisors.ts';
import type { Engine } from './open-engine.ts';

/**
 * Ends all containers of the store and removes all that is in it. Nothing of the store is read, since nothing of it may be readable; and
 * the namespaces are new ones, since those that could be joined end. Only what has a name of ours goes: `--root` may be a directory of
 * the user's that holds other things. Returns the names of what was left for that reason. Throws what entering the namespaces throws.
 */
export async function resetStore(engine: Engine): Promise<string[]> {
  const { root, runtime } = engine.paths;
  // A container that is being removed is in tmp/, its supervisor with it.
  const places = [containersDirectory(engine.paths), temporaryDirectory(engine.paths)];
  await killSupervisors((path) => places.some((place) => path.startsWith(`${place}/`)));
  const doomed = [...storeEntries(engine.paths), runtime];
  removeTreeInside({ maps: engine.maps, holder: undefined }, doomed);
  return removeIfEmpty(root);
}

/** Removes the directory; returns what is in the way. */
function removeIfEmpty(root: string): string[] {
  try {
    rmdirSync(root);
    return [];
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return [];
    // A file system that is mounted there stays, and so does a directory whose parent is not the user's: empty.
    if (!['ENOTEMPTY', 'EEXIST', 'EBUSY', 'EACCES', 'EPERM'].includes(code ?? '')) throw error;
    chmodSync(root, 0o700);
    return readdirSync(root);
  }
}
