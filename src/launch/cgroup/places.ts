/**
 * Where this user may make a cgroup: below the cgroup that this process is in, or below one above it, as far as they are the user's
 * (delegation, cgroup-v2.rst). Loaded at each start, so it does little: one small file is read, and a few directories are looked at.
 */
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import type { Controller } from './limit-files.ts';

/** A directory of /sys/fs/cgroup that a container's own may be made in. */
export interface CgroupPlace {
  version: 1 | 2;
  directory: string;
  /** Controllers that a cgroup below it has, or may have. */
  controllers: string[];
  /** Of v2: those that are on in cgroup.subtree_control already. */
  enabled: string[];
  /** This process is in it, alone, and must leave before controllers can be turned on (no internal processes). */
  crowded: boolean;
}

export interface CgroupHost {
  /** /sys/fs/cgroup */
  root: string;
  /** The text of /proc/self/cgroup. */
  own: string;
  pid: number;
  mayWrite: (path: string) => boolean;
}

export const thisHost = (): CgroupHost => ({
  root: '/sys/fs/cgroup',
  own: ownCgroups(),
  pid: process.pid,
  mayWrite,
});

/** A kernel without cgroups has no such file. */
function ownCgroups(): string {
  try {
    return readFileSync('/proc/self/cgroup', 'utf8');
  } catch {
    return '';
  }
}

const words = (path: string): string[] => {
  try {
    return readFileSync(path, 'utf8').split(/\s+/).filter(Boolean);
  } catch {
    return []; // not there, or not ours to read: nothing can be had from it
  }
};

function mayWrite(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * @param wanted controllers that the place should offer
 * @param parent --cgroup-parent: only below this one
 * @returns for v2 the best place, if there is one; for v1 one for each hierarchy with a wanted controller
 */
export function cgroupPlaces(
  host: CgroupHost,
  wanted: readonly Controller[],
  parent?: string,
): CgroupPlace[] {
  return host.own.split('\n').flatMap((line) => {
    const [, number, names = '', path = ''] = /^(\d+):([^:]*):(\/.*)$/.exec(line) ?? [];
    // A cgroup outside the namespace of this process reads /../…: there is no way to it.
    if (number === undefined || path.includes('/..')) return [];
    if (names === '') return unified(host, parent ?? path, wanted, parent !== undefined);
    const list = names.split(',');
    const isWanted = wanted.some((name) => list.includes(name));
    const directory = joined(`${host.root}/${names}`, parent ?? path);
    if (!isWanted || !host.mayWrite(directory)) return [];
    return [{ version: 1, directory, controllers: list, enabled: list, crowded: false }];
  });
}

const joined = (tree: string, path: string): string => (path === '/' ? tree : `${tree}${path}`);

/** Going up as long as the directories are the user's; of those that offer the same, the one furthest down. */
function unified(
  host: CgroupHost,
  path: string,
  wanted: readonly Controller[],
  only: boolean,
): CgroupPlace[] {
  // Beside v1 the v2 tree is at `unified`, as systemd's hybrid layout has it.
  const tree = [host.root, `${host.root}/unified`].find((place) => existsSync(`${place}/cgroup.procs`));
  if (tree === undefined) return [];
  let best: CgroupPlace | undefined;
  const lacks = (place: CgroupPlace): number =>
    wanted.filter((name) => !place.controllers.includes(name)).length;
  for (let at = path; ; at = at.slice(0, at.lastIndexOf('/')) || '/') {
    const place = placeAt(joined(tree, at), host, wanted);
    if (!place) break;
    if (!best || lacks(place) < lacks(best)) best = place;
    if (only || at === '/' || lacks(best) === 0) break;
  }
  return best ? [best] : [];
}

function placeAt(
  directory: string,
  host: CgroupHost,
  wanted: readonly Controller[],
): CgroupPlace | undefined {
  if (!host.mayWrite(directory) || !host.mayWrite(`${directory}/cgroup.procs`)) return undefined;
  const enabled = words(`${directory}/cgroup.subtree_control`);
  const place = { version: 2, directory, enabled, controllers: enabled, crowded: false } as const;
  if (wanted.every((name) => enabled.includes(name))) return place;
  if (!host.mayWrite(`${directory}/cgroup.subtree_control`)) return place;
  const inside = words(`${directory}/cgroup.procs`);
  if (inside.some((other) => other !== String(host.pid))) return place;
  return {
    ...place,
    controllers: words(`${directory}/cgroup.controllers`),
    crowded: inside.length > 0,
  };
}
