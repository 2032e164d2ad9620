/**
 * Which live process holds the user's rootless namespaces. There is no pause process: any supervisor does, and where none
 * runs the next command makes new namespaces with the same map.
 *
 * The last known holder is written to a hint in the runtime directory. It is only a hint: the process is pinned by pid and
 * start time, and its user namespace is compared with the map that we would write.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { isAlive, openPidfd, type ProcessId } from '../sys/process.ts';
import { type IdMap, type IdMaps, toHost } from './id-map.ts';

const hintPath = (runtime: string): string => `${runtime}/rootless.json`;

/** Remembers `id` for the next command. A lost race costs the next command a search, nothing else. */
export function rememberHolder(runtime: string, id: ProcessId): void {
  mkdirSync(runtime, { recursive: true, mode: 0o700 });
  const temporary = `${hintPath(runtime)}.${process.pid}`;
  writeFileSync(temporary, JSON.stringify(id));
  renameSync(temporary, hintPath(runtime));
}

function hinted(runtime: string): ProcessId[] {
  try {
    return [JSON.parse(readFileSync(hintPath(runtime), 'utf8')) as ProcessId];
  } catch {
    return []; // none yet, or being written
  }
}

/** Does the process still have the map that this user's namespaces have (and not that of a nested namespace)? */
function hasMap(pid: number, map: IdMap): boolean {
  try {
    const lines = readFileSync(`/proc/${pid}/uid_map`, 'utf8').trim().split('\n');
    return (
      lines.length === map.length &&
      lines.every((line) => {
        const [inside = -1, outside = -1, size = -1] = line.trim().split(/\s+/).map(Number);
        return (
          map.some((e) => e.containerID === inside && e.size === size) && toHost(map, inside) === outside
        );
      })
    );
  } catch {
    return false;
  }
}

/**
 * The pidfd of a process to join, or undefined when there is none.
 * @param supervisors where to look when the hint is stale; called only then
 */
export function findHolder(
  runtime: string,
  maps: IdMaps,
  supervisors: () => Iterable<ProcessId>,
): number | undefined {
  const attempt = (candidates: Iterable<ProcessId>): { id: ProcessId; fd: number } | undefined => {
    for (const id of candidates) {
      if (!isAlive(id) || !hasMap(id.pid, maps.uids)) continue;
      const fd = openPidfd(id);
      if (fd !== undefined) return { id, fd };
    }
    return undefined;
  };
  const known = attempt(hinted(runtime));
  if (known) return known.fd;
  const found = attempt(supervisors());
  if (found) rememberHolder(runtime, found.id); // so that the next command need not search
  return found?.fd;
}
