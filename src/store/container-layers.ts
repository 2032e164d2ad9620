/** Which layers the containers stand on, read from containers/<id>/container.json. */
import { readFileSync } from 'node:fs';
import { isDigest } from '../spec/digest.ts';
import type { ChainId } from '../spec/image.ts';
import type { ImageRecord } from './image-record.ts';
import { namesIn } from './names-in.ts';
import { containerRecord, containersDirectory, type StorePaths } from './paths.ts';

export interface ContainerLayers {
  id: string;
  /** Lowest first; undefined when the record cannot be read, so that nobody knows. */
  layers: ChainId[] | undefined;
  imageId: string | undefined;
  /** Of images that are mounted in it. */
  mounted: readonly { imageId: string; layers: ChainId[] }[];
}

/** Images that its mounts are of; undefined when the record does not say what it must. */
function mountedIn(mounts: unknown): ContainerLayers['mounted'] | undefined {
  if (!Array.isArray(mounts)) return [];
  const images = mounts.flatMap((mount: { image?: ContainerLayers['mounted'][number] }) => mount.image ?? []);
  const areWhole = images.every(({ layers }) => Array.isArray(layers) && layers.every(isDigest));
  return areWhole ? images : undefined;
}

function readContainer(paths: StorePaths, id: string): ContainerLayers | undefined {
  let text: string;
  try {
    text = readFileSync(containerRecord(paths, id), 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined; // removed since the directory was read, or not made yet
    throw error;
  }
  try {
    const value = JSON.parse(text) as { layers?: unknown; imageId?: unknown; mounts?: unknown } | null;
    const isWhole = Array.isArray(value?.layers) && value.layers.every(isDigest);
    const imageId = typeof value?.imageId === 'string' ? value.imageId : undefined;
    const mounted = mountedIn(value?.mounts);
    return {
      id,
      layers: isWhole && mounted ? (value?.layers as ChainId[]) : undefined,
      imageId,
      mounted: mounted ?? [],
    };
  } catch {
    return { id, layers: undefined, imageId: undefined, mounted: [] };
  }
}

export function containerLayers(paths: StorePaths): ContainerLayers[] {
  return namesIn(containersDirectory(paths)).flatMap((id) => readContainer(paths, id) ?? []);
}

/** The ids (first 12 digits) of the containers made from an image. */
export function containersUsing(paths: StorePaths, image: ImageRecord): string[] {
  const chain = image.layers.map((layer) => layer.chainId).join();
  const uses = (container: ContainerLayers): boolean =>
    container.imageId === undefined
      ? container.layers?.join() === chain
      : container.imageId === image.imageId ||
        container.mounted.some(({ imageId }) => imageId === image.imageId);
  return containerLayers(paths)
    .filter(uses)
    .map((container) => container.id.slice(0, 12));
}
