/**
 * Layers: is each what its archive unpacks to? There is no other way to know than to unpack the archive again, beside, and to compare.
 * What was unpacked then takes the place of a damaged layer.
 *
 * A layer that is lost and whose archive is lost too can only be pulled again. It stays with what is left of it: the containers on it
 * are the user's, and some of their files may still be read.
 */
import { existsSync } from 'node:fs';
import { TsrunError } from '../../errors.ts';
import type { OpenedBlob } from '../../image/pull/blob-fetches.ts';
import { isBlobIntact } from '../../image/pull/blob-fetches.ts';
import { type PlannedLayer, type UnpackContext, unpackLayer } from '../../image/pull/unpack-layer.ts';
import type { TreeWorker } from '../../image/unpack/start-unpack.ts';
import type { ChainId, Digest } from '../../spec/image.ts';
import { BlobStore } from '../../store/blobs.ts';
import type { ImageRecord } from '../../store/image-record.ts';
import { LayerStore, type NewLayer, type StoreHooks } from '../../store/layers.ts';
import { layerDiff } from '../../store/paths.ts';
import { listContainers } from '../container-view.ts';
import type { Engine } from '../open-engine.ts';
import { engineHooks } from '../unpacker.ts';
import { pullHint } from './check-blobs.ts';
import type { CheckOptions, Findings } from './damage.ts';

/** A layer that an image or a container needs. */
interface NeededLayer {
  /** undefined: its record is lost, and no image says what it was made from. */
  planned: (Omit<PlannedLayer, 'descriptor'> & { blobDigest: Digest }) | undefined;
  chainId: ChainId;
  /** The layers below, the top first. */
  lowers: ChainId[];
  image: ImageRecord | undefined;
  /** Names of containers that run on it. */
  running: string[];
}

function neededLayers(engine: Engine): NeededLayer[] {
  const needed = new Map<ChainId, NeededLayer>();
  for (const image of engine.images.list()) {
    image.layers.forEach(({ chainId, diffId, blobDigest }, i) => {
      if (needed.has(chainId)) return;
      const below = image.layers.slice(0, i).map((layer) => layer.chainId);
      const planned = { chainId, diffId, blobDigest, parent: below.at(-1) };
      needed.set(chainId, { planned, chainId, lowers: below.reverse(), image, running: [] });
    });
  }
  const layers = new LayerStore(engine.paths);
  for (const { record, name, state } of listContainers(engine).containers) {
    record.layers.forEach((chainId, i) => {
      const known = needed.get(chainId) ?? fromContainer(layers, record.layers, i, chainId);
      if (state.init) known.running.push(name);
      needed.set(chainId, known);
    });
  }
  return [...needed.values()];
}

const isStillNeeded = (engine: Engine, { chainId }: NeededLayer): boolean =>
  neededLayers(engine).some((needed) => needed.chainId === chainId);

function fromContainer(layers: LayerStore, chain: ChainId[], i: number, chainId: ChainId): NeededLayer {
  const record = layers.readRecord(chainId);
  const below = chain.slice(0, i);
  const planned = record && {
    chainId,
    diffId: record.diffId,
    blobDigest: record.blobDigest,
    parent: below.at(-1),
  };
  return { planned, chainId, lowers: below.reverse(), image: undefined, running: [] };
}

export class LayerCheck {
  readonly #engine: Engine;
  readonly #findings: Findings;
  readonly #quick: boolean;
  readonly #hooks: StoreHooks;
  readonly #blobs: BlobStore;
  readonly #layers: LayerStore;
  readonly #worker: TreeWorker;

  constructor(engine: Engine, findings: Findings, { quick }: CheckOptions, worker: TreeWorker) {
    this.#engine = engine;
    this.#findings = findings;
    this.#quick = quick;
    this.#hooks = engineHooks(engine);
    this.#blobs = new BlobStore(engine.paths);
    // What is unpacked to be compared need not be durable.
    this.#layers = new LayerStore(engine.paths, { ...this.#hooks, syncFilesystem: async () => {} });
    this.#worker = worker;
  }

  async run(): Promise<void> {
    for (const needed of neededLayers(this.#engine)) {
      this.#findings.count('layers');
      await this.#check(needed);
    }
  }

  /** Other commands go on meanwhile: a layer that nothing needs any more is no damage, whatever was found. */
  async #check(needed: NeededLayer): Promise<void> {
    const found = this.#findings.damages.length;
    try {
      await this.#look(needed);
    } catch (error) {
      if (isStillNeeded(this.#engine, needed)) throw error;
    }
    if (this.#findings.damages.length > found && !isStillNeeded(this.#engine, needed))
      this.#findings.damages.length = found;
  }

  async #look(needed: NeededLayer): Promise<void> {
    const object = `layer ${needed.chainId}`;
    const hint = pullHint(needed.image);
    const obvious = this.#obviousProblem(needed);
    if (obvious === undefined && this.#quick) return;
    const isLowerMissing = needed.lowers.some(
      (chainId) => !existsSync(layerDiff(this.#engine.paths, chainId)),
    );
    const digest = needed.planned?.blobDigest;
    const canUnpack = !isLowerMissing && digest !== undefined && (await isBlobIntact(this.#blobs, digest));
    if (!canUnpack) {
      if (obvious !== undefined)
        this.#findings.tell(object, `${obvious}, and its archive is not there`, hint);
      return; // a lost archive is told of as such
    }
    const made = await this.#unpack(needed).catch((error: unknown) =>
      this.#notCompared(object, obvious, error),
    );
    if (made === undefined) return;
    try {
      const differences =
        obvious === undefined
          ? await this.#worker.compare(made.diffDirectory, layerDiff(this.#engine.paths, needed.chainId))
          : [obvious];
      if (differences.length === 0) return;
      const { running } = needed;
      const problem = differences.join('; ');
      if (running.length > 0 && this.#findings.repair) {
        this.#findings.tell(
          object,
          `${problem}; ${running.join(', ')} runs on it`,
          `tsrun stop ${running.join(' ')}`,
        );
        return;
      }
      await this.#findings.fix({ object, problem }, 'unpacked again', async () => {
        await this.#hooks.syncFilesystem(made.diffDirectory);
        await this.#layers.remove(needed.chainId);
        await made.publish();
        this.#layers.syncNames();
      });
    } finally {
      await made.abandon();
    }
  }

  #obviousProblem({ chainId }: NeededLayer): string | undefined {
    if (!existsSync(layerDiff(this.#engine.paths, chainId))) return 'it is missing';
    return this.#layers.readRecord(chainId) === undefined ? 'its record cannot be read' : undefined;
  }

  /** Without room to unpack the archive beside, say: the rest of the store is looked at all the same. */
  #notCompared(object: string, obvious: string | undefined, error: unknown): undefined {
    if (!(error instanceof TsrunError)) throw error;
    const { message, hint, cause } = error;
    const why = cause instanceof Error ? `${message} (${cause.message})` : message;
    this.#findings.tell(object, `${obvious ?? 'it could not be compared with its archive'}: ${why}`, hint);
  }

  async #unpack({ planned, lowers }: NeededLayer): Promise<NewLayer> {
    if (planned === undefined) throw new TypeError('there is nothing to unpack');
    const { blobDigest, ...rest } = planned;
    const file = this.#blobs.file(blobDigest);
    const blob: OpenedBlob = { file, done: Promise.resolve(), isDone: () => true, isOld: true };
    const descriptor = {
      mediaType: 'application/vnd.oci.image.layer.v1.tar',
      digest: blobDigest,
      size: this.#blobs.size(blobDigest) ?? 0,
    };
    const context: UnpackContext = {
      layers: this.#layers,
      unpacker: this.#worker,
      emit: () => {},
      signal: new AbortController().signal,
    };
    const directories = lowers.map((chainId) => layerDiff(this.#engine.paths, chainId));
    const { layer, sealed } = await unpackLayer(context, { ...rest, descriptor }, blob, directories);
    await sealed;
    return layer;
  }
}
