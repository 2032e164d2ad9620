/** The id maps that the kernel has for a process. */
import { readFileSync } from 'node:fs';
import type { IdMapEntry } from './id-map.ts';

/** /proc/PID/uid_map or gid_map (user_namespaces(7)), as this process's namespace sees it. Throws the system's error when it has ended. */
export function readIdMap(pid: number, file: 'uid_map' | 'gid_map'): IdMapEntry[] {
  const text = readFileSync(`/proc/${pid}/${file}`, 'latin1').trim();
  return text.split('\n').map((line) => {
    const [containerID = 0, hostID = 0, size = 0] = line.trim().split(/\s+/).map(Number);
    return { containerID, hostID, size };
  });
}
