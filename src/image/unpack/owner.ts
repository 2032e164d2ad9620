/**
 * Owners. With subordinate ids the container's ids exist in the worker's user namespace, and chown makes them. With none
 * ("single uid") everything belongs to the user, and the owner that should be is recorded beside, as containers/storage does.
 */
import { readFileSync } from 'node:fs';
import { tsrunError } from '../../errors.ts';
import { type ByteString, displayName } from './tar-entry.ts';

/** Ids `first` to `first + count - 1` exist in the namespace. */
export interface IdRange {
  first: number;
  count: number;
}

export type Ownership =
  | { kind: 'mapped'; uids: readonly IdRange[]; gids: readonly IdRange[] }
  | { kind: 'single' };

/** `uid:gid:mode`, the mode in octal: the attribute of containers/storage and fuse-overlayfs. */
export const OVERRIDE_XATTR = 'user.containers.override_stat';

export const overrideValue = (uid: number, gid: number, mode: number): Buffer =>
  Buffer.from(`${uid}:${gid}:0${mode.toString(8)}`);

/** Reads /proc/self/uid_map or gid_map (user_namespaces(7)): "inside outside count" per line. */
export const parseIdMap = (text: string): IdRange[] =>
  text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .map(([first = 0, , count = 0]) => ({ first, count }));

/** What this process, which is in the rootless namespaces, may own. Reads /proc: to be asked before the root is changed. */
export function ownOwnership(single: boolean): Ownership {
  if (single) return { kind: 'single' };
  const read = (name: string): IdRange[] => parseIdMap(readFileSync(`/proc/self/${name}`, 'latin1'));
  return { kind: 'mapped', uids: read('uid_map'), gids: read('gid_map') };
}

/** @throws TsrunError ERR_TSRUN_LAYER_OWNER when the namespace has no such id */
export function requireMapped(ownership: Ownership, path: ByteString, uid: number, gid: number): void {
  if (ownership.kind === 'single') return;
  const check = (kind: 'uid' | 'gid', id: number, ranges: readonly IdRange[]): void => {
    // 2^32 - 1 means "leave as it is" to chown(2): an archive that says so would escape its owner
    const isKnown = id !== 0xffffffff && ranges.some(({ first, count }) => id >= first && id < first + count);
    if (isKnown) return;
    const text = ranges
      .map(({ first, count }) => (count === 1 ? `${first}` : `${first}-${first + count - 1}`))
      .join(', ');
    throw tsrunError('ERR_TSRUN_LAYER_OWNER', { entry: displayName(path), kind, id, ranges: text });
  };
  check('uid', uid, ownership.uids);
  check('gid', gid, ownership.gids);
}
