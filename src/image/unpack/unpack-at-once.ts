/**
 * A small layer without a worker: its archive is read here, in tsrun itself, and becomes a program of system calls; a child enters the
 * rootless namespaces, makes the layer's directory its root, and runs that. Starting a second Node takes longer than unpacking a few
 * hundred files, and a third of the processor time of such a pull.
 *
 * The archive is read by the same code, LayerApplier, with another host under it (layer-recorder.ts). Nothing is made before all of the
 * archive has been read and found plain. What is not plain, and whatever the kernel refuses, is the worker's to do, and to explain.
 */
import { closeSync, mkdirSync } from 'node:fs';
import { type Rootless, removeTreeInside, runInside } from '../../rootless/enter.ts';
import type { IdMap } from '../../rootless/id-map.ts';
import type { NamespacesAhead } from '../../rootless/namespaces-ahead.ts';
import type { GrowingFile } from '../../store/growing-file.ts';
import { callNow } from '../../sys/calls.ts';
import { MFD_CLOEXEC } from '../../sys/constants.ts';
import { Slots } from '../../sys/step.ts';
import { loadFromNodesCache } from '../../sys/v8-flags.ts';
import type { LayerUnpacking, UnpackResult, UnpackTarget } from '../layer-sink.ts';
import { LayerRecorder } from './layer-recorder.ts';
import type { UnpackLimits } from './limits.ts';
import type { IdRange, Ownership } from './owner.ts';
import { openGrowing, readGrowing } from './read-growing.ts';
import { unpackLayer } from './unpack-layer.ts';

/** Of the blob: a layer with more has so much to unpack that the worker's start is nothing beside it. */
export const AT_ONCE_BYTES = 4 << 20;

/**
 * Of the archive. What the files hold is in memory until the layer is made. And names that strangers chose are keys of tables whose seed is known
 * here, while a worker has a random one (docs/security.md): few enough that they take a second or two if all of them collide.
 */
const PLAIN_LIMITS = { maxBytes: 32 << 20, maxEntries: 4000, maxMetadata: 4096 };

function plainLimits(limits: UnpackLimits): UnpackLimits {
  const { maxBytes, maxEntries, maxMetadata } = PLAIN_LIMITS;
  return {
    ...limits,
    maxBytes: Math.min(maxBytes, limits.maxBytes ?? maxBytes),
    maxEntries: Math.min(maxEntries, limits.maxEntries),
    maxMetadata,
  };
}

/** Loads what takes time to load. */
export const prepareAtOnce = (): void => loadFromNodesCache(['zlib']);

export interface AtOnceOptions {
  /** Not with a single id: then owners are recorded in attributes. */
  rootless: Rootless;
  /** Made while the layer was waited for; entered instead, if that can be done. */
  ahead: NamespacesAhead | undefined;
  limits: UnpackLimits;
  /** Starts the worker with the same layer, whose directory is empty. */
  byWorker: () => LayerUnpacking;
}

export class UnpackAtOnce implements LayerUnpacking {
  readonly #options: AtOnceOptions;
  readonly #target: UnpackTarget;
  readonly #result: Promise<UnpackResult>;
  #isStopped = false;
  #worker: LayerUnpacking | undefined;

  constructor(target: UnpackTarget, options: AtOnceOptions) {
    this.#options = options;
    this.#target = target;
    this.#result = this.#unpack();
    this.#result.catch(() => undefined); // finish() tells
  }

  finish(): Promise<UnpackResult> {
    return this.#result;
  }

  async abort(): Promise<void> {
    this.#isStopped = true; // and nothing is made any more; what is being made is made while nobody else runs
    await this.#worker?.abort();
  }

  async #unpack(): Promise<UnpackResult> {
    const content = callNow('keep the content of files', 'memfd_create', ['layer', MFD_CLOEXEC]);
    try {
      const slots = new Slots();
      const recorder = new LayerRecorder(slots, content);
      const result = await this.#record(recorder);
      if (this.#isStopped) throw new Error('stopped');
      this.#make(recorder, slots);
      return result;
    } catch (error) {
      if (this.#isStopped || this.#target.blob.hasFailed) throw error;
      this.#worker = this.#options.byWorker(); // which finds out the same, or how it can be done
      return await this.#worker.finish();
    } finally {
      closeSync(content);
    }
  }

  async #record(recorder: LayerRecorder): Promise<UnpackResult> {
    const { diffDirectory, blob, onProgress } = this.#target;
    const { rootless } = this.#options;
    const limits = plainLimits(this.#options.limits);
    recorder.enterRoot(diffDirectory);
    recorder.chmodSync('/', 0o700); // as the worker does
    const fd = openGrowing(blob.paths);
    try {
      const options = { host: recorder, lowers: [], ownership: ownershipIn(rootless), limits };
      return await unpackLayer(readGrowing(fd, untilWhole(blob)), options, onProgress);
    } finally {
      closeSync(fd);
    }
  }

  #make(recorder: LayerRecorder, slots: Slots): void {
    const { rootless, ahead } = this.#options;
    const { diffDirectory } = this.#target;
    try {
      runInside(ahead?.rootless() ?? rootless, () => recorder.steps, slots, true);
    } catch (error) {
      removeTreeInside(rootless, [diffDirectory]); // the worker wants it empty
      mkdirSync(diffDirectory, { mode: 0o755 });
      throw error;
    }
  }
}

/** What a process in the namespaces may own: what ownOwnership() reads there. */
function ownershipIn({ maps }: Rootless): Ownership {
  const ranges = (map: IdMap): IdRange[] =>
    map.map(({ containerID, size }) => ({ first: containerID, count: size }));
  return { kind: 'mapped', uids: ranges(maps.uids), gids: ranges(maps.gids) };
}

/** How many bytes there are, up to the last one; not until they are on the disk as well, for which nothing here has to wait. */
async function* untilWhole(blob: GrowingFile): AsyncGenerator<number, void> {
  for await (const bytes of blob.growth()) {
    yield bytes;
    if (bytes === blob.size) return;
  }
}
