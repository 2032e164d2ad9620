/**
 * Which subordinate ids the user has: subuid(5), subgid(5), by name or by number, several ranges merged.
 *
 * Where the ranges come from a directory service (`subid:` in nsswitch.conf), getsubids(1) knows them and the files do not.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import type { IdMap, IdMapEntry, IdMaps } from './id-map.ts';

/** `count` ids from `start`. */
export interface IdRange {
  start: number;
  count: number;
}

/** The user for whom ranges are looked up. */
export interface Owner {
  name: string;
  uid: number;
  gid: number;
}

/** Lines `owner:start:count` of `text` whose owner is the name or the uid. Comments and broken lines are passed over. */
export function parseSubordinateIds(text: string, owner: Pick<Owner, 'name' | 'uid'>): IdRange[] {
  const ranges: IdRange[] = [];
  for (const line of text.split('\n')) {
    const [who, start, count, ...rest] = line.trim().split(':');
    if (rest.length > 0 || (who !== owner.name && who !== String(owner.uid))) continue;
    if (!/^\d+$/.test(start ?? '') || !/^\d+$/.test(count ?? '') || Number(count) === 0) continue;
    ranges.push({ start: Number(start), count: Number(count) });
  }
  return ranges.sort((a, b) => a.start - b.start);
}

/** Container 0 is the user, 1, 2, … are the subordinate ids in ascending order (what Podman and Docker do). */
export function rootlessMap(id: number, ranges: readonly IdRange[]): IdMapEntry[] {
  const map: IdMapEntry[] = [{ containerID: 0, hostID: id, size: 1 }];
  let next = 1;
  for (const { start, count } of ranges) {
    map.push({ containerID: next, hostID: start, size: count });
    next += count;
  }
  return map;
}

function readOptional(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // no such file: no ranges
  }
}

/** Does nsswitch.conf name a source other than the files? */
function usesDirectoryService(): boolean {
  const line = /^subid:\s*(.*)$/m.exec(readOptional('/etc/nsswitch.conf'));
  return line?.[1] !== undefined && line[1].trim() !== 'files';
}

function fromGetsubids(owner: Owner, group: boolean): IdRange[] {
  try {
    const args = group ? ['-g', owner.name] : [owner.name];
    const out = execFileSync('getsubids', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    return out.split('\n').flatMap((line) => {
      const match = /:\s+\S+\s+(\d+)\s+(\d+)/.exec(line);
      return match ? [{ start: Number(match[1]), count: Number(match[2]) }] : [];
    });
  } catch {
    return []; // no getsubids, or no range: the caller falls back to the files
  }
}

/** The user who runs tsrun. */
export function currentOwner(): Owner {
  const uid = process.getuid?.() ?? 0;
  // Loading node:os, and asking the daemons of name services, takes longer than all that is done here with the name.
  return { name: nameInPasswd(uid) ?? userInfo().username, uid, gid: process.getgid?.() ?? 0 };
}

/** passwd(5): the name on the first line with this uid. */
function nameInPasswd(uid: number): string | undefined {
  let text: string;
  try {
    text = readFileSync('/etc/passwd', 'utf8');
  } catch {
    return undefined;
  }
  return new RegExp(`^([^:\\n]+):[^:\\n]*:${uid}:`, 'm').exec(text)?.[1];
}

/**
 * The maps of `owner`'s rootless namespaces. `single` is true when there are no subordinate ids: then only container 0 is
 * mapped, and every other owner of an image's files is squashed to it.
 */
export function rootlessMaps(owner: Owner = currentOwner()): IdMaps & { single: boolean } {
  const hasService = usesDirectoryService();
  const lookUp = (file: string, group: boolean): IdRange[] => {
    const ranges = hasService ? fromGetsubids(owner, group) : [];
    return ranges.length > 0 ? ranges : parseSubordinateIds(readOptional(file), owner);
  };
  const uids = lookUp('/etc/subuid', false);
  const gids = lookUp('/etc/subgid', true);
  const single = uids.length === 0 || gids.length === 0;
  const map = (id: number, ranges: IdRange[]): IdMap => rootlessMap(id, single ? [] : ranges);
  return { uids: map(owner.uid, uids), gids: map(owner.gid, gids), single };
}
