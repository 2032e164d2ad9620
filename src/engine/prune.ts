/** Use case: `tsrun system prune`: what nothing uses goes. The filters have chosen what may. */

import { collectGarbage } from '../store/garbage.ts';
import { isImageUsed } from '../store/image-mounted.ts';
import type { ImageRecord } from '../store/image-record.ts';
import { isDangling } from '../store/image-record.ts';
import type { VolumeRecord } from '../store/volumes.ts';
import { type ContainerView, listContainers } from './container-view.ts';
import { diskUsage } from './disk-usage.ts';
import { pruneVolumes } from './manage-volumes.ts';
import type { Engine } from './open-engine.ts';
import { removeContainer } from './remove-container.ts';
import { engineHooks } from './unpacker.ts';

export interface PruneChoice {
  container(view: ContainerView): boolean;
  image(record: ImageRecord): boolean;
  volume(volume: VolumeRecord): boolean;
  /** Images with a name, too. */
  all: boolean;
  volumes: boolean;
}

export interface Pruned {
  containers: string[];
  images: string[];
  volumes: string[];
  /** Containers whose record cannot be read: they, and all layers, were left alone. */
  damaged: string[];
  /** bytes */
  reclaimed: number;
}

/** Running containers and what they need stay. Throws what removing throws. */
export async function prune(engine: Engine, choice: PruneChoice): Promise<Pruned> {
  const before = await bytesUsed(engine);
  const { containers, damaged } = listContainers(engine);
  const stopped = containers.filter(
    (view) => ['created', 'exited'].includes(view.state.phase) && choice.container(view),
  );
  const removed: string[] = [];
  for (const view of stopped) {
    if (await removeContainer(engine, view, { force: false, volumes: false, unlessActive: true }))
      removed.push(view.id);
  }
  const { listVolumes } = await import('../store/volumes.ts');
  const volumes = choice.volumes
    ? pruneVolumes(
        engine,
        listVolumes(engine.paths).filter((volume) => volume.anonymous && choice.volume(volume)),
      )
    : [];
  const images = pruneImages(engine, choice);
  await collectGarbage(engine.paths, { hooks: engineHooks(engine) });
  const reclaimed = Math.max(0, before - (await bytesUsed(engine)));
  return { containers: removed, images, volumes, damaged, reclaimed };
}

function pruneImages(engine: Engine, choice: PruneChoice): string[] {
  const wanted = new Map(
    engine.images
      .list()
      .filter((record) => (choice.all || isDangling(record)) && choice.image(record))
      .map((record) => [record.imageId, record]),
  );
  const unused = [...wanted.values()].filter((record) => !isImageUsed(engine.paths, record));
  for (const record of unused) engine.images.remove(record);
  return unused.map(({ imageId }) => imageId);
}

async function bytesUsed(engine: Engine): Promise<number> {
  const { layers, blobs, containers, volumes } = await diskUsage(engine);
  const sizes = [...containers, ...volumes].map(({ size }) => size);
  return [layers.size, blobs.size, ...sizes].reduce((total, size) => total + size, 0);
}
