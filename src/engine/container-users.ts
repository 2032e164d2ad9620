/** A container with a user namespace of its own: which ids it has, and as whom its command runs. */
import { chmodSync, lstatSync, mkdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { tsrunError } from '../errors.ts';
import { readInLayers } from '../rootfs/read-in-layers.ts';
import { idsWanted } from '../rootless/auto-map.ts';
import type { IdMaps } from '../rootless/id-map.ts';
import { nestedMaps } from '../rootless/nested-map.ts';
import { type FileLock, waitForLock } from '../store/lock.ts';
import { lockPath } from '../store/paths.ts';
import type { Engine } from './open-engine.ts';
import type { CreateRequest } from './request.ts';
import type { DriverChoice } from './storage-driver.ts';

type Request = Pick<CreateRequest, 'userns' | 'uidmap' | 'gidmap' | 'user'>;

const own = (): { uid: number; gid: number } => ({
  uid: process.getuid?.() ?? 0,
  gid: process.getgid?.() ?? 0,
});

/**
 * @param lowers the image's layers, top first. @param user as whom the command runs
 * @throws ERR_TSRUN_USAGE when there are not enough ids
 */
export function containerMaps(
  engine: Engine,
  request: Request,
  lowers: readonly string[],
  user: string,
): IdMaps | undefined {
  const { userns, uidmap: uids, gidmap: gids } = request;
  const size = (): number =>
    idsWanted(
      ['/etc/passwd', '/etc/group'].map((path) => readInLayers(lowers, path)),
      user,
    );
  const auto = (): { size: number; taken: IdMaps[] } => ({
    size: (userns.kind === 'auto' ? userns.size : undefined) ?? size(),
    taken: autoRanges(engine),
  });
  return nestedMaps({ userns, uids, gids, auto, ...own() }, engine.maps);
}

/** Of the containers that there are, running or not. */
const autoRanges = ({ containers }: Engine): IdMaps[] =>
  containers.ids().flatMap((id) => {
    const { userns, idMaps } = containers.read(id) ?? {};
    return userns === 'auto' && idMaps ? [idMaps] : [];
  });

/** Held from the choice of a range for `auto` until its container is on disk: two commands at once choose two. */
export const lockIdRanges = ({ paths }: Engine): Promise<FileLock> => waitForLock(lockPath(paths, 'ids'));

/** What --user is when it is not said: with keep-id, the user himself. */
export function keptUser({ userns }: Request): string | undefined {
  if (userns.kind !== 'keep-id') return undefined;
  return `${userns.uid ?? own().uid}:${userns.gid ?? own().gid}`;
}

/**
 * Files of the image belong to other users of the rootless namespaces than the container takes them for, and only a driver that
 * translates ids can show them right without changing the owner of each.
 * @throws ERR_TSRUN_STORAGE_DRIVER
 */
export function requireMapping(choice: DriverChoice): DriverChoice {
  if (choice.driver === 'fuse-overlayfs') return choice;
  const reasons = `only fuse-overlayfs shows files under other ids, which a user namespace of its own needs`;
  throw tsrunError('ERR_TSRUN_STORAGE_DRIVER', { driver: choice.driver, reasons });
}

/**
 * With keep-id the user has an entry in the container's /etc/passwd and /etc/group, where the image has such files and no entry of that
 * number: programs ask for the name of who runs them. Written to the container's own layer while it is being made.
 * @param home of the new entry
 */
export function addOwnUser(
  lowers: readonly string[],
  upper: string,
  ids: { uid: number; gid: number },
  home: string,
): void {
  const { username } = userInfo();
  const name = /^[a-z_][a-z0-9_.-]*\$?$/i.test(username) ? username : 'user';
  addLine(lowers, upper, 'passwd', ids.uid, (taken) => {
    const free = taken.has(name) ? `${name}${ids.uid}` : name;
    return `${free}:*:${ids.uid}:${ids.gid}:${name}:${home}:/bin/sh`;
  });
  addLine(lowers, upper, 'group', ids.gid, (taken) => {
    const free = taken.has(name) ? `${name}${ids.gid}` : name;
    return `${free}:*:${ids.gid}:`;
  });
}

function addLine(
  lowers: readonly string[],
  upper: string,
  file: 'passwd' | 'group',
  id: number,
  line: (taken: ReadonlySet<string>) => string,
): void {
  const text = readInLayers(lowers, `/etc/${file}`);
  // An /etc that is a link leads elsewhere in the image: that one is left alone.
  const etc = lowers.find((lower) => lstatSync(join(lower, 'etc'), { throwIfNoEntry: false }));
  if (text === undefined || etc === undefined || !lstatSync(join(etc, 'etc')).isDirectory()) return;
  const entries = text.split('\n').map((entry) => entry.split(':'));
  if (entries.some(([, , number]) => number === String(id))) return;
  const taken = new Set(entries.map(([name = '']) => name));
  const directory = join(upper, 'etc');
  const { mode, atime, mtime } = statSync(join(etc, 'etc'));
  mkdirSync(directory, { recursive: true });
  const whole = text === '' || text.endsWith('\n') ? text : `${text}\n`;
  writeFileSync(join(directory, file), `${whole}${line(taken)}\n`, { mode: 0o644 });
  chmodSync(directory, mode & 0o7777);
  utimesSync(directory, atime, mtime);
}
