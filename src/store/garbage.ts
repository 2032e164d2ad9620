/**
 * What nothing refers to goes: layers and blobs that are reachable from no image, no container and no pin of a living process.
 *
 * There are no reference counts that could be wrong after a crash; what is reachable is found out each time. When a container's record
 * cannot be read, nobody knows what it stands on, and no layer is removed.
 */
import { rmSync, statSync } from 'node:fs';
import type { ChainId } from '../spec/image.ts';
import { blobFiles } from './blobs.ts';
import { containerLayers } from './container-layers.ts';
import { ImageStore } from './images.ts';
import { DEFAULT_STORE_HOOKS, LayerStore, type StoreHooks } from './layers.ts';
import { tryLock } from './lock.ts';
import { namesIn } from './names-in.ts';
import { layersDirectory, lockPath, locksDirectory, type StorePaths } from './paths.ts';
import { lockGarbage, pinnedThings } from './pins.ts';
import { sweepTemporaries } from './temporary.ts';

export interface Collected {
  layers: string[];
  blobs: string[];
  /** Containers whose record cannot be read, for which no layer was removed. */
  unreadable: string[];
}

const PARTIAL = '.partial';
const DAY_MS = 86_400_000;
/** Downloads that nobody took up again for so long are given up. */
const PARTIAL_DAYS = 7;

/** Hexadecimal names of everything that is still needed. */
function reachable(paths: StorePaths): { layers: Set<string>; blobs: Set<string>; unreadable: string[] } {
  const hex = (digest: string): string => digest.slice(digest.indexOf(':') + 1);
  const layers = new Set<string>();
  const blobs = new Set<string>();
  const unreadable: string[] = [];
  // Before the records: what a command lets go of has its record by then.
  const pinned = pinnedThings(paths);
  for (const chainId of pinned.layers) layers.add(hex(chainId));
  for (const digest of pinned.blobs) blobs.add(hex(digest));
  const images = new ImageStore(paths);
  // Twice: a record that gets another name while the names are read, as that of an image whose tag moves, may be met under neither.
  for (const image of [...images.list(), ...images.list()]) {
    for (const digest of [image.digest, image.manifestDigest, image.imageId]) blobs.add(hex(digest));
    for (const layer of image.layers) {
      layers.add(hex(layer.chainId));
      blobs.add(hex(layer.blobDigest));
    }
  }
  for (const container of containerLayers(paths)) {
    if (container.layers === undefined) unreadable.push(container.id);
    for (const chainId of container.layers ?? []) layers.add(hex(chainId));
    for (const mounted of container.mounted) for (const chainId of mounted.layers) layers.add(hex(chainId));
  }
  return { layers, blobs, unreadable };
}

/** Removes an abandoned download; one that is going on is locked. */
function removeStalePartial(path: string, olderThanMs: number): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined || stat.mtimeMs > Date.now() - olderThanMs) return false;
  const lock = tryLock(path);
  lock?.releaseAndRemove();
  return lock !== undefined;
}

function collectBlobs(paths: StorePaths, needed: Set<string>, partialDays: number): string[] {
  const removed: string[] = [];
  for (const { name, path } of blobFiles(paths)) {
    if (name.endsWith(PARTIAL)) {
      if (removeStalePartial(path, partialDays * DAY_MS)) removed.push(name);
    } else if (!needed.has(name)) {
      rmSync(path, { force: true });
      removed.push(name);
    }
  }
  return removed;
}

/** Lock files of layers whose makers were killed. */
function removeStaleLocks(paths: StorePaths): void {
  for (const name of namesIn(locksDirectory(paths))) {
    if (name.startsWith('layer-')) tryLock(lockPath(paths, name))?.releaseAndRemove();
  }
}

export interface CollectOptions {
  hooks?: StoreHooks;
  /** Age in days at which an abandoned download goes; 0 takes all. */
  partialDays?: number;
}

/** Removes what nothing refers to, and what dead processes left in tmp/. Throws the system's error. */
export async function collectGarbage(paths: StorePaths, options: CollectOptions = {}): Promise<Collected> {
  const hooks = options.hooks ?? DEFAULT_STORE_HOOKS;
  const layerStore = new LayerStore(paths, hooks);
  await sweepTemporaries(paths, hooks.removeTree);
  using _lock = await lockGarbage(paths);
  removeStaleLocks(paths);
  const needed = reachable(paths);
  const layers: string[] = [];
  if (needed.unreadable.length === 0) {
    for (const name of namesIn(layersDirectory(paths))) {
      if (needed.layers.has(name)) continue;
      await layerStore.remove(`sha256:${name}` as ChainId);
      layers.push(name);
    }
  }
  const blobs = collectBlobs(paths, needed.blobs, options.partialDays ?? PARTIAL_DAYS);
  return { layers, blobs, unreadable: needed.unreadable };
}
