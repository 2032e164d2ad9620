/**
 * tmp/: things that are being made. Each name carries its maker (`layer-4711-883920-2b1f4c09d1`), so that whatever a killed
 * process left behind is found, and removed, by the next command that writes to the store.
 */
import { closeSync, constants, openSync, rm } from 'node:fs';
import { join } from 'node:path';
import { flock } from '../sys/flock.ts';
import { makeDirectories } from '../sys/make-directories.ts';
import { isAlive, type ProcessId, startTimeOf } from '../sys/process.ts';
import { namesIn } from './names-in.ts';
import { type StorePaths, temporaryDirectory } from './paths.ts';

/** Removes a tree. Layers hold files of subordinate ids, which only a process in the rootless namespaces may remove. */
export type RemoveTree = (path: string) => Promise<void>;

export const removeOwnTree: RemoveTree = (path) =>
  new Promise((resolve, reject) => {
    rm(path, { recursive: true, force: true }, (error) => (error ? reject(error) : resolve()));
  });

const NAME = /^[a-z]+-(\d+)-(\d+)-[0-9a-f]+(?:\.json)?$/;

let self: ProcessId | undefined;

/** This process, as names in tmp/ carry it: pid and start time, which together never come round again. */
function ownMaker(): ProcessId {
  self ??= { pid: process.pid, startTime: startTimeOf(process.pid) ?? 0 };
  return self;
}

/** A name in tmp/ that nothing else has; nothing is created there. `purpose` is one lowercase word. */
export function temporaryPath(paths: StorePaths, purpose: string, suffix = ''): string {
  const { pid, startTime } = ownMaker();
  makeDirectories(temporaryDirectory(paths), 0o700);
  const name = `${purpose}-${pid}-${startTime}-${process.hrtime.bigint().toString(16)}${suffix}`;
  return `${temporaryDirectory(paths)}/${name}`;
}

/** The maker that a name in tmp/ carries; undefined for a name of another form. */
export function makerOfTemporary(name: string): ProcessId | undefined {
  const match = NAME.exec(name);
  if (match?.[1] === undefined || match[2] === undefined) return undefined;
  return { pid: Number(match[1]), startTime: Number(match[2]) };
}

/** The names in tmp/; none when the store is not there yet. */
export const temporaryNames = (paths: StorePaths): string[] => namesIn(temporaryDirectory(paths));

/** Whether it still runs; about this process the system need not be asked. */
const isWorking = (maker: ProcessId): boolean =>
  maker.pid === process.pid ? maker.startTime === ownMaker().startTime : isAlive(maker);

/** The supervisor of a --rm container, whose pid nobody knew beforehand, holds its directory locked until that is empty. */
function isBeingEmptied(directory: string): boolean {
  let fd: number;
  try {
    fd = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT'; // it is empty, and gone; or damaged: who removes it will see
  }
  try {
    return !flock(fd, 'exclusive', true);
  } finally {
    closeSync(fd);
  }
}

/** The names in tmp/ that dead processes left. */
export const deadTemporaries = (paths: StorePaths): string[] =>
  temporaryNames(paths).filter((name) => {
    const maker = makerOfTemporary(name);
    if (maker === undefined || isWorking(maker)) return false;
    return !name.startsWith('removed-') || !isBeingEmptied(join(temporaryDirectory(paths), name));
  });

/** Removes what dead processes left in tmp/; returns the names removed. Names of an unknown form are left alone. */
export async function sweepTemporaries(
  paths: StorePaths,
  removeTree: RemoveTree = removeOwnTree,
): Promise<string[]> {
  const dead = deadTemporaries(paths);
  for (const name of dead) await removeTree(join(temporaryDirectory(paths), name));
  return dead;
}
