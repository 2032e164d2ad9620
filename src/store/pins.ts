/**
 * Pins: what a command needs although nothing in the store refers to it yet (a pull's layers before its image has a name).
 *
 * A pin is a file in tmp/ with its maker in its name, so that it ends with the process at the latest. It is placed and garbage is
 * collected under one lock, so that whoever looks for a layer after pinning it can rely on what it sees.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ChainId, Digest } from '../spec/image.ts';
import { isAlive } from '../sys/process.ts';
import { type FileLock, waitForLock } from './lock.ts';
import { lockPath, type StorePaths, temporaryDirectory } from './paths.ts';
import { makerOfTemporary, temporaryNames, temporaryPath } from './temporary.ts';

export interface PinnedThings {
  layers: readonly ChainId[];
  blobs: readonly Digest[];
}

const PURPOSE = 'pin';

/** The lock under which garbage is collected. Hold it for a moment only. */
export function lockGarbage(paths: StorePaths): Promise<FileLock> {
  return waitForLock(lockPath(paths, 'garbage'));
}

/** Keeps `things` until the result is disposed of or this process ends. */
export async function pin(paths: StorePaths, things: PinnedThings): Promise<Disposable> {
  const path = temporaryPath(paths, PURPOSE, '.json');
  using _lock = await lockGarbage(paths);
  const unpin = (): void => rmSync(path, { force: true });
  try {
    writeFileSync(path, JSON.stringify(things), { flag: 'wx', mode: 0o600 }); // not durable: it ends with this process
  } catch (error) {
    unpin(); // without room for it an empty file is left, which the collector would read
    throw error;
  }
  return { [Symbol.dispose]: unpin };
}

/** Everything that living processes have pinned. Call it under the garbage lock. */
export function pinnedThings(paths: StorePaths): PinnedThings {
  const layers: ChainId[] = [];
  const blobs: Digest[] = [];
  for (const name of temporaryNames(paths)) {
    const maker = makerOfTemporary(name);
    if (!name.startsWith(`${PURPOSE}-`) || maker === undefined || !isAlive(maker)) continue;
    const things = readPin(join(temporaryDirectory(paths), name));
    layers.push(...(things?.layers ?? []));
    blobs.push(...(things?.blobs ?? []));
  }
  return { layers, blobs };
}

function readPin(path: string): PinnedThings | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined; // released since the directory was read
    throw error;
  }
  return JSON.parse(text) as PinnedThings;
}
