/** Images mounted to be looked at: `tsrun image mount`. */
import { tsrunError } from '../errors.ts';
import { bindView } from '../rootfs/copy.ts';
import { rootfsDriver } from '../rootfs/drivers.ts';
import { logImageEvent } from '../store/event-log.ts';
import type { ImageRecord } from '../store/image-record.ts';
import type { ImageStore } from '../store/images.ts';
import { layerDiff, type StorePaths } from '../store/paths.ts';
import { type LookedAt, mountTree, unmountTree } from './mount-tree.ts';

const lookedAt = ({ imageId, reference }: ImageRecord): LookedAt => ({
  id: imageId,
  label: `image ${reference}`,
});

/** All images, or those that are named, each looked up when it is its turn: that throws ERR_TSRUN_IMAGE_NOT_LOCAL. */
export function selectImages(
  images: ImageStore,
  names: readonly string[],
  all: boolean,
): (() => ImageRecord)[] {
  if (all) return images.list().map((record) => () => record);
  return names.map((name) => () => {
    const record = images.resolve(name);
    if (record === undefined) throw tsrunError('ERR_TSRUN_IMAGE_NOT_LOCAL', { reference: name });
    return record;
  });
}

/** Mounts the image's tree unless it is mounted; returns where. Throws ERR_TSRUN_STORE. */
export function mountImage(paths: StorePaths, record: ImageRecord): string {
  const directories = record.layers.map(({ chainId }) => layerDiff(paths, chainId)).reverse();
  const [only] = directories;
  return mountTree(
    paths,
    lookedAt(record),
    (slots, mountpoint) => {
      if (only === undefined) return [];
      if (directories.length === 1) return bindView(only, mountpoint);
      // by the kernel in any case: a FUSE server would have to stay, and would be nobody's child
      return rootfsDriver('overlay').view(slots, { directories, mountpoint });
    },
    () => logImageEvent(paths, 'mount', record.imageId, record.reference),
  );
}

/** Unmounts the image, if it is mounted; returns whether it was. @param force even while something in it is in use. Throws ERR_TSRUN_STORE. */
export function unmountImage(paths: StorePaths, record: ImageRecord, force: boolean): boolean {
  return unmountTree(paths, lookedAt(record), force, () =>
    logImageEvent(paths, 'unmount', record.imageId, record.reference),
  );
}
