/**
 * `--userns auto`: a range of subordinate ids that no other container of this kind has, so that a process that gets out of one
 * container is nobody in the others, and nobody to the user (containers-storage's `auto`, of which podman's man page tells).
 */
import type { IdMap, IdMaps } from './id-map.ts';

/** podman's least. */
const LEAST_IDS = 1024;
/** Those of `nobody` and above stand for nobody in images as well, and would make every range as large as all there is. */
const NOBODY = 65_534;

/**
 * How many ids an image wants: one more than the highest that its /etc/passwd and /etc/group name, or that the command runs as.
 * @param files texts of both, undefined where the image has none. @param user `--user`, numeric or not
 */
export function idsWanted(files: readonly (string | undefined)[], user: string): number {
  const fields = files.flatMap((text) =>
    (text ?? '').split('\n').flatMap((line) => line.split(':').slice(2, 4)),
  );
  const ids = [...fields, ...user.split(':')]
    .filter((field) => /^\d{1,10}$/.test(field))
    .map(Number)
    .filter((id) => id < NOBODY);
  return Math.max(LEAST_IDS, ...ids.map((id) => id + 1));
}

/**
 * The first range of `size` ids, from 1 up (0 is the user himself), in which none of `taken` has an id, users and groups alike.
 * @param total how many ids the rootless namespaces have. @returns undefined when there is none
 */
export function autoMaps(total: number, size: number, taken: readonly IdMaps[]): IdMaps | undefined {
  const ranges = taken.flatMap(({ uids, gids }) => [...uids, ...gids]).sort((a, b) => a.hostID - b.hostID);
  let start = 1;
  for (const range of ranges) {
    if (start + size <= range.hostID) break;
    start = Math.max(start, range.hostID + range.size);
  }
  if (start + size > total) return undefined;
  const map: IdMap = [{ containerID: 0, hostID: start, size }];
  return { uids: map, gids: map };
}
