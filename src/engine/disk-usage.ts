/** Use case: `tsrun system df`: what takes how much room, and how much of it would become free. */
import { lstatSync } from 'node:fs';
import { blobFiles } from '../store/blobs.ts';
import type { ImageRecord } from '../store/image-record.ts';
import { LayerStore } from '../store/layers.ts';
import { namesIn } from '../store/names-in.ts';
import { containerDirectory, layersDirectory, type StorePaths } from '../store/paths.ts';
import { listVolumes, type VolumeRecord, volumeSource } from '../store/volumes.ts';
import { type ContainerView, listContainers } from './container-view.ts';
import type { Engine } from './open-engine.ts';
import { engineUnpacker } from './unpacker.ts';
import { volumeUsers } from './volume-users.ts';

export interface ImageUsage {
  /** All names of one image. */
  records: [ImageRecord, ...ImageRecord[]];
  /** RFC 3339; undefined when the image does not say, or its configuration is lost */
  created: string | undefined;
  /** Bytes of its layers, unpacked; of those, what other images need as well. */
  size: number;
  shared: number;
  containers: number;
}

export interface DiskUsage {
  images: ImageUsage[];
  /** Bytes of all layers, each counted once; of those that no container stands on. */
  layers: { size: number; unused: number };
  /** What was downloaded, compressed: kept for push, save and repair. */
  blobs: { count: number; active: number; size: number; unused: number };
  containers: { view: ContainerView; size: number }[];
  volumes: { volume: VolumeRecord; size: number; links: number }[];
}

const hex = (digest: string): string => digest.slice(digest.indexOf(':') + 1);

/** Throws what entering the rootless namespaces throws, where files of subordinate ids are measured. */
export async function diskUsage(engine: Engine): Promise<DiskUsage> {
  const { containers } = listContainers(engine);
  const volumes = listVolumes(engine.paths);
  const users = volumeUsers(engine);
  const sizes = await measure(engine, [
    ...containers.map(({ id }) => containerDirectory(engine.paths, id)),
    ...volumes.map((volume) =>
      volume.options.device === undefined ? volumeSource(engine.paths, volume) : '',
    ),
  ]);
  const layers = layerSizes(engine.paths);
  const inUse = new Set(containers.flatMap(({ record }) => record.layers.map(hex)));
  const sum = (names: Iterable<string>): number =>
    [...names].reduce((total, name) => total + (layers.get(name) ?? 0), 0);
  return {
    images: imageUsages(engine, containers, sum),
    layers: {
      size: sum(layers.keys()),
      unused: sum([...layers.keys()].filter((name) => !inUse.has(name))),
    },
    blobs: blobUsage(engine),
    containers: containers.map((view, i) => ({ view, size: sizes[i] ?? 0 })),
    volumes: volumes.map((volume, i) => ({
      volume,
      size: sizes[containers.length + i] ?? 0,
      links: users.get(volume.name)?.length ?? 0,
    })),
  };
}

async function measure(engine: Engine, directories: string[]): Promise<number[]> {
  if (directories.every((directory) => directory === '')) return directories.map(() => 0);
  const worker = engineUnpacker(engine);
  try {
    return await worker.measure(directories);
  } finally {
    await worker.close();
  }
}

/** Hexadecimal chain id → bytes. One whose record is damaged counts nothing: `system check` tells of it. */
function layerSizes(paths: StorePaths): Map<string, number> {
  const store = new LayerStore(paths);
  const sizes = new Map<string, number>();
  for (const name of namesIn(layersDirectory(paths)))
    sizes.set(name, store.readRecord(`sha256:${name}`)?.size ?? 0);
  return sizes;
}

function imageUsages(
  engine: Engine,
  containers: readonly ContainerView[],
  sum: (names: Iterable<string>) => number,
): ImageUsage[] {
  const byId = new Map<string, [ImageRecord, ...ImageRecord[]]>();
  for (const record of engine.images.list()) {
    const others = byId.get(record.imageId);
    if (others) others.push(record);
    else byId.set(record.imageId, [record]);
  }
  const layersOf = ([record]: readonly [ImageRecord, ...ImageRecord[]]): string[] =>
    record.layers.map(({ chainId }) => hex(chainId));
  return [...byId.values()].map((records) => {
    const own = layersOf(records);
    const elsewhere = new Set([...byId.values()].filter((other) => other !== records).flatMap(layersOf));
    const { imageId } = records[0];
    return {
      records,
      get created() {
        return createdAt(engine, records[0]);
      },
      size: sum(own),
      shared: sum(own.filter((name) => elsewhere.has(name))),
      containers: containers.filter(({ record }) => record.imageId === imageId).length,
    };
  });
}

function createdAt(engine: Engine, record: ImageRecord): string | undefined {
  try {
    return engine.images.config(record).created;
  } catch {
    return undefined; // `tsrun system check` says why
  }
}

function blobUsage(engine: Engine): DiskUsage['blobs'] {
  const needed = new Set(
    engine.images
      .list()
      .flatMap(({ digest, manifestDigest, imageId, layers }) => [
        ...[digest, manifestDigest, imageId].map(hex),
        ...layers.map(({ blobDigest }) => hex(blobDigest)),
      ]),
  );
  const usage = { count: 0, active: 0, size: 0, unused: 0 };
  for (const { name, path } of blobFiles(engine.paths)) {
    const size = lstatSync(path, { throwIfNoEntry: false })?.size ?? 0;
    usage.count++;
    usage.size += size;
    if (needed.has(name)) usage.active++;
    else usage.unused += size;
  }
  return usage;
}
