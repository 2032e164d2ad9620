/**
 * `--userns`, `--uidmap`, `--gidmap`: the ids of a user namespace that is nested in the rootless one. Its maps go from ids of the
 * container to ids of the rootless namespaces, where 0 is the user himself and 1, 2, … are his subordinate ids. Whoever is root there
 * may write any such map: no setuid helper is needed.
 */
import { tsrunError } from '../errors.ts';
import { autoMaps } from './auto-map.ts';
import { type IdMap, type IdMapEntry, type IdMaps, mapSize } from './id-map.ts';

export type Userns =
  | { kind: 'host' }
  /** The user has in the container the ids that he has here, or these. */
  | { kind: 'keep-id'; uid: number | undefined; gid: number | undefined; size: number | undefined }
  /** No id of the container is the user's. */
  | { kind: 'nomap' }
  /** Nor any other container's. */
  | { kind: 'auto'; size: number | undefined };

const EXAMPLE = '--userns host | keep-id | keep-id:uid=1000,gid=1000 | nomap | auto | auto:size=4096';

const usage = (problem: string, hint = EXAMPLE): Error => tsrunError('ERR_TSRUN_USAGE', { problem, hint });

/** Throws ERR_TSRUN_USAGE. */
export function parseUserns(text: string): Userns {
  const [, kind = '', options = ''] = /^([^:]*)(?::(.*))?$/s.exec(text) ?? [];
  if (kind === 'keep-id') return { kind, ...numbers(text, options, ['uid', 'gid', 'size']) };
  if (kind === 'auto') {
    const { size } = numbers(text, options, ['size']);
    if (size === 0) throw usage(`--userns ${text}: a container has at least one id`);
    return { kind, size };
  }
  if (options !== '' || (kind !== 'host' && kind !== 'nomap'))
    throw usage(`--userns ${text} is not supported`);
  return { kind };
}

/** `key=NUMBER,…` of these keys. */
function numbers<K extends string>(
  text: string,
  options: string,
  keys: readonly K[],
): Record<K, number | undefined> {
  const found: Partial<Record<K, number>> = {};
  for (const option of options.split(',').filter(Boolean)) {
    const [, key, number] = /^([a-z]+)=(\d{1,10})$/.exec(option) ?? [];
    const known = keys.find((name) => name === key);
    if (known === undefined) {
      throw usage(`--userns ${text}: "${option}" is none of ${keys.map((name) => `${name}=`).join(', ')}`);
    }
    found[known] = Number(number);
  }
  return found as Record<K, number | undefined>;
}

/** `CONTAINER:OUTSIDE:SIZE` of --uidmap and --gidmap. Throws ERR_TSRUN_USAGE. */
export function parseIdMapping(option: string): (text: string) => IdMapEntry {
  return (text) => {
    const [, inside, outside, size = '1'] = /^(\d{1,10}):(\d{1,10})(?::(\d{1,10}))?$/.exec(text) ?? [];
    if (inside === undefined || outside === undefined || Number(size) === 0) {
      throw usage(`${option} ${text}: not of the form CONTAINER-ID:OUTSIDE-ID:SIZE`, `${option} 0:1:1000`);
    }
    return { containerID: Number(inside), hostID: Number(outside), size: Number(size) };
  };
}

/** @param total how many ids the rootless namespaces have. @param id that the user is to have */
function keepId(total: number, id: number): IdMapEntry[] {
  const below = Math.min(id, total - 1);
  const above = total - 1 - below;
  return [
    { containerID: 0, hostID: 1, size: below },
    { containerID: id, hostID: 0, size: 1 },
    { containerID: id + 1, hostID: below + 1, size: above },
  ].filter(({ size }) => size > 0);
}

/** The first `size` ids of a map. */
function firstOf(map: IdMap, size: number | undefined): IdMap {
  if (size === undefined) return map;
  return map
    .filter(({ containerID }) => containerID < size || map.length === 1)
    .map((e) => ({ ...e, size: Math.min(e.size, Math.max(1, size - e.containerID)) }));
}

/** Ids of a map that the rootless namespaces do not have. */
const exceeds = (map: IdMap, total: number): boolean => map.some(({ hostID, size }) => hostID + size > total);

const overlaps = (map: IdMap): boolean =>
  map.some((a, i) =>
    map.some(
      (b, j) =>
        i < j &&
        ((a.containerID < b.containerID + b.size && b.containerID < a.containerID + a.size) ||
          (a.hostID < b.hostID + b.size && b.hostID < a.hostID + a.size)),
    ),
  );

function checked(option: string, map: IdMap, total: number): IdMap {
  if (overlaps(map)) throw usage(`${option}: two ranges overlap`, `${option} 0:1:1000`);
  if (exceeds(map, total)) {
    throw usage(
      `${option}: there are only ${total} ids outside, 0 to ${total - 1}`,
      'tsrun unshare cat /proc/self/uid_map',
    );
  }
  return map;
}

export interface NestedRequest {
  userns: Userns;
  /** --uidmap, --gidmap */
  uids: IdMap;
  gids: IdMap;
  /** This user. */
  uid: number;
  gid: number;
  /** Asked when it is `auto`: how many ids, and the ranges of the containers that have such. */
  auto(): { size: number; taken: readonly IdMaps[] };
}

/**
 * The maps of a nested user namespace, or undefined when the container is to be in the rootless one itself.
 * @param outer maps of the rootless namespaces. Throws ERR_TSRUN_USAGE when they have not the ids that it takes
 */
export function nestedMaps(request: NestedRequest, outer: IdMaps): IdMaps | undefined {
  const { userns, uids, gids } = request;
  const [uidTotal, gidTotal] = [mapSize(outer.uids), mapSize(outer.gids)];
  if (uids.length > 0 || gids.length > 0) {
    if (userns.kind !== 'host') throw usage('--userns and --uidmap contradict each other');
    return {
      uids: checked('--uidmap', uids.length > 0 ? uids : gids, uidTotal),
      gids: checked('--gidmap', gids.length > 0 ? gids : uids, gidTotal),
    };
  }
  if (userns.kind === 'host') return undefined;
  if (Math.min(uidTotal, gidTotal) < 2) {
    throw usage(
      `--userns ${userns.kind} needs subordinate ids, and you have none`,
      'sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 $USER',
    );
  }
  if (userns.kind === 'nomap') {
    return {
      uids: [{ containerID: 0, hostID: 1, size: uidTotal - 1 }],
      gids: [{ containerID: 0, hostID: 1, size: gidTotal - 1 }],
    };
  }
  if (userns.kind === 'auto') {
    const { size, taken } = request.auto();
    const total = Math.min(uidTotal, gidTotal);
    const found = autoMaps(total, size, taken);
    if (found !== undefined) return found;
    const others = `${taken.length} container${taken.length === 1 ? ' has' : 's have'} ranges of their own`;
    throw usage(
      `--userns auto: of ${total - 1} subordinate ids no ${size} in a row are free (${others})`,
      '--userns auto:size=1024',
    );
  }
  return {
    uids: firstOf(keepId(uidTotal, userns.uid ?? request.uid), userns.size),
    gids: firstOf(keepId(gidTotal, userns.gid ?? request.gid), userns.size),
  };
}
