/** Images mounted to be looked at: `tsrun image mount`. */
import { bindView } from '../rootfs/copy.ts';
import { rootfsDriver } from '../rootfs/drivers.ts';
import { logImageEvent } from '../store/event-log.ts';
import type { ImageRecord } from '../store/image-record.ts';
import { layerDiff, type StorePaths } from '../store/paths.ts';
import { type LookedAt, mountTree, unmountTree } from './mount-tree.ts';

const lookedAt = ({ imageId, reference }: ImageRecord): LookedAt => ({
  id: imageId,
  label: `image ${reference}`,
});

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

/** Unmounts the image, if it is mounted. @param force even while something in it is in use. Throws ERR_TSRUN_STORE. */
export function unmountImage(paths: StorePaths, record: ImageRecord, force: boolean): void {
  unmountTree(paths, lookedAt(record), force, () =>
    logImageEvent(paths, 'unmount', record.imageId, record.reference),
  );
}
