/**
 * Id maps as data: what user_namespaces(7) calls uid_map and gid_map, and runtime-spec `uidMappings`. Pure.
 *
 * An entry says: ids `containerID`, `containerID`+1, … (`size` of them) inside are `hostID`, … outside.
 */
export interface IdMapEntry {
  containerID: number;
  hostID: number;
  size: number;
}

export type IdMap = readonly IdMapEntry[];

/** Two maps of one user: for user ids and group ids. */
export interface IdMaps {
  uids: IdMap;
  gids: IdMap;
}

/** The id outside for an id inside; undefined when it is not mapped. */
export function toHost(map: IdMap, id: number): number | undefined {
  const entry = map.find((e) => id >= e.containerID && id < e.containerID + e.size);
  return entry && entry.hostID + (id - entry.containerID);
}

/** The id inside for an id outside; undefined when it is not mapped. */
export function toContainer(map: IdMap, id: number): number | undefined {
  const entry = map.find((e) => id >= e.hostID && id < e.hostID + e.size);
  return entry && entry.containerID + (id - entry.hostID);
}

/** How many ids are mapped. */
export const mapSize = (map: IdMap): number => map.reduce((sum, entry) => sum + entry.size, 0);

/** The map that goes through `outer` and then `inner` (a nested user namespace). Ids of `inner` that `outer` lacks are left out. */
export function compose(outer: IdMap, inner: IdMap): IdMapEntry[] {
  const result: IdMapEntry[] = [];
  for (const i of inner) {
    for (const o of outer) {
      const from = Math.max(i.hostID, o.containerID);
      const to = Math.min(i.hostID + i.size, o.containerID + o.size);
      if (from >= to) continue;
      const containerID = i.containerID + (from - i.hostID);
      result.push({ containerID, hostID: o.hostID + (from - o.containerID), size: to - from });
    }
  }
  return result.sort((a, b) => a.containerID - b.containerID);
}

/** The map with inside and outside exchanged. */
export function invert(map: IdMap): IdMapEntry[] {
  return map
    .map((e) => ({ containerID: e.hostID, hostID: e.containerID, size: e.size }))
    .sort((a, b) => a.containerID - b.containerID);
}

/** As the arguments of newuidmap(1): `0 1000 1 1 100000 65536`. */
export const mapArguments = (map: IdMap): string[] =>
  map.flatMap((e) => [String(e.containerID), String(e.hostID), String(e.size)]);

/** As the lines of /proc/PID/uid_map. */
export const mapLines = (map: IdMap): string =>
  map.map((e) => `${e.containerID} ${e.hostID} ${e.size}\n`).join('');
