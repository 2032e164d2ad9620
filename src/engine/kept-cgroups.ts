/**
 * The cgroups that were made for a container, kept beside its sockets: like them they are gone after a boot. Where they are depends on the login
 * that started it, so whoever removes it could not find them. The supervisor removes them at the container's end; what it has left, because it
 * was killed, or because somebody was still in one, goes with the container.
 */
import { existsSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { runtimeContainerDirectory, type StorePaths } from '../store/paths.ts';

const listOf = (paths: StorePaths, id: string): string => `${runtimeContainerDirectory(paths, id)}/cgroups`;

function kept(list: string): string[] {
  if (!existsSync(list)) return [];
  return readFileSync(list, 'utf8').split('\n').filter(Boolean);
}

/** Adds to those of earlier starts. The runtime directory is there: its lock is held. */
export function keepCgroups(paths: StorePaths, id: string, directories: readonly string[]): void {
  const list = listOf(paths, id);
  const before = kept(list);
  const all = [...new Set([...before, ...directories])];
  if (all.length > before.length) writeFileSync(list, `${all.join('\n')}\n`, { mode: 0o600 });
}

/** Of a container that does not run. One that cannot be removed stays, empty of processes: it costs the kernel a few kilobytes. */
export function removeCgroups(paths: StorePaths, id: string): void {
  for (const directory of kept(listOf(paths, id))) removeCgroup(directory);
}

/** With all below it, those first: a cgroup with children is not empty. Its files go with it, and are never unlinked. */
export function removeCgroup(directory: string): void {
  try {
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      if (entry.isDirectory()) removeCgroup(`${directory}/${entry.name}`);
    }
    rmdirSync(directory);
  } catch {
    // It has gone with its last process, or one is still in it, or it is not the user's.
  }
}
