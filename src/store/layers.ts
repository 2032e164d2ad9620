/**
 * layers/<chain>/{diff,layer.json}: unpacked layers. A name that exists is complete and verified.
 *
 * A layer is made in tmp/, and appears by one rename of its directory. Layers are named by chain id, not by DiffID, because what an
 * archive unpacks to may depend on the layers below it (whiteouts and attributes of existing directories).
 */
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tsrunError } from '../errors.ts';
import { digestHex, isDigest } from '../spec/digest.ts';
import type { ChainId, DiffId, Digest } from '../spec/image.ts';
import { callApart } from '../sys/calls.ts';
import { makeDirectories } from '../sys/make-directories.ts';
import { syncDirectory } from './atomic-write.ts';
import { type FileLock, tryLock, type WaitOptions, waitForLock } from './lock.ts';
import {
  layerDiff,
  layerDirectory,
  layerRecord,
  layersDirectory,
  lockPath,
  type StorePaths,
} from './paths.ts';
import { type RemoveTree, removeOwnTree, temporaryPath } from './temporary.ts';

/** layer.json */
export interface LayerRecord {
  chainId: ChainId;
  diffId: DiffId;
  /** The layer below; absent for the lowest. */
  parent?: ChainId;
  blobDigest: Digest;
  /** uncompressed bytes of the archive */
  size: number;
  /** entries of the archive */
  entries: number;
  /** device nodes left out, because an ordinary user may not make them */
  skippedDevices: number;
  /** entries whose owner is not in the user's range and was replaced */
  squashedOwners: number;
}

/** Makes everything on the file system that holds `path` durable. */
export type SyncFilesystem = (path: string) => Promise<void>;

/** syncfs(2): an fsync per file would cost a journal commit each. It waits for the disk, which nothing else has to. */
export const syncWholly: SyncFilesystem = async (path) => {
  const directory = openSync(path, 'r');
  try {
    await callApart('make a layer durable', 'syncfs', [directory]);
  } finally {
    closeSync(directory);
  }
};

/** What the store needs others for. */
export interface StoreHooks {
  removeTree: RemoveTree;
  syncFilesystem: SyncFilesystem;
}

/** One after the other on the same file system: whoever asks while one runs shares the one after it, which covers all that is there. */
export function sharedSync(sync: SyncFilesystem): SyncFilesystem {
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  const start = (path: string): Promise<void> => {
    const started = sync(path).finally(() => {
      running = undefined;
    });
    running = started;
    return started;
  };
  return (path) => {
    if (running === undefined) return start(path);
    next ??= running
      .catch(() => undefined) // whoever asked for it is told
      .then(() => {
        next = undefined;
        return start(path);
      });
    return next;
  };
}

export const DEFAULT_STORE_HOOKS: StoreHooks = {
  removeTree: removeOwnTree,
  syncFilesystem: sharedSync(syncWholly),
};

/** A layer that is being made: filled, sealed, published; or abandoned at any moment before. */
export class NewLayer {
  /** The directory to fill; exists and is empty. */
  readonly diffDirectory: string;
  readonly #paths: StorePaths;
  readonly #hooks: StoreHooks;
  readonly #directory: string;
  #record: LayerRecord | undefined;
  constructor(paths: StorePaths, hooks: StoreHooks) {
    this.#paths = paths;
    this.#hooks = hooks;
    this.#directory = temporaryPath(paths, 'layer');
    this.diffDirectory = join(this.#directory, 'diff');
    mkdirSync(this.#directory, { mode: 0o700 });
    mkdirSync(this.diffDirectory, { mode: 0o755 });
  }

  /** Has what was unpacked so far written in the background, so that less is left to wait for at the end. */
  writeBack(): void {
    this.#hooks.syncFilesystem(this.#directory).catch(() => undefined); // seal() is told the same
  }

  /** Adds the record, and makes everything durable; the next layer may be filled meanwhile. */
  async seal(record: LayerRecord): Promise<void> {
    writeFileSync(join(this.#directory, 'layer.json'), `${JSON.stringify(record, undefined, 2)}\n`, {
      mode: 0o600,
    });
    await this.#hooks.syncFilesystem(this.#directory);
    this.#record = record;
  }

  /** Gives the sealed layer its name, which syncNames() makes durable. A complete layer that is there already stays, and this one goes. */
  async publish(): Promise<void> {
    const record = this.#record;
    if (record === undefined) throw new Error('a layer was published before it was sealed');
    makeDirectories(layersDirectory(this.#paths), 0o700);
    const final = layerDirectory(this.#paths, record.chainId);
    const store = new LayerStore(this.#paths, this.#hooks);
    if (store.has(record.chainId)) return this.abandon();
    await store.remove(record.chainId); // the remains of a damaged one
    try {
      renameSync(this.#directory, final);
    } catch (error) {
      throw tsrunError('ERR_TSRUN_STORE', { doing: `put layer ${record.diffId} at ${final}` }, error);
    }
  }

  async abandon(): Promise<void> {
    await this.#hooks.removeTree(this.#directory);
  }
}

export class LayerStore {
  readonly paths: StorePaths;
  readonly #hooks: StoreHooks;
  constructor(paths: StorePaths, hooks: StoreHooks = DEFAULT_STORE_HOOKS) {
    this.paths = paths;
    this.#hooks = hooks;
  }

  has(chainId: ChainId): boolean {
    return existsSync(layerRecord(this.paths, chainId)) && existsSync(layerDiff(this.paths, chainId));
  }

  /** Throws the system's error when the layer is not there. */
  record(chainId: ChainId): LayerRecord {
    return JSON.parse(readFileSync(layerRecord(this.paths, chainId), 'utf8')) as LayerRecord;
  }

  /** The same; undefined when it is not there, or damaged. */
  readRecord(chainId: string): LayerRecord | undefined {
    try {
      const record = JSON.parse(readFileSync(layerRecord(this.paths, chainId), 'utf8')) as LayerRecord | null;
      const isWhole = record?.chainId === chainId && isDigest(record.diffId) && isDigest(record.blobDigest);
      return isWhole ? record : undefined;
    } catch {
      return undefined; // whoever must know why looks with record()
    }
  }

  /** Makes the names of published layers durable. */
  syncNames(): void {
    syncDirectory(layersDirectory(this.paths));
  }

  begin(): NewLayer {
    return new NewLayer(this.paths, this.#hooks);
  }

  /** The right to make a layer, so that two processes do not unpack the same one; undefined when another has it. */
  tryLock(chainId: ChainId): FileLock | undefined {
    return tryLock(this.#lockPath(chainId));
  }

  /** Waits for the right to make a layer. Look again whether it exists afterwards. */
  lock(chainId: ChainId, options: WaitOptions): Promise<FileLock> {
    return waitForLock(this.#lockPath(chainId), options);
  }

  #lockPath(chainId: ChainId): string {
    return lockPath(this.paths, `layer-${digestHex(chainId)}`);
  }

  /** Removes a layer, or what is left of a damaged one: off its name first, so that no half layer ever has a name. */
  async remove(chainId: ChainId): Promise<void> {
    const doomed = temporaryPath(this.paths, 'removed');
    try {
      renameSync(layerDirectory(this.paths, chainId), doomed);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      throw error;
    }
    await this.#hooks.removeTree(doomed);
  }
}
