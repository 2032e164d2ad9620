/** Which directories a container's root file system is made of: an image's layers, or with --rootfs a directory of the user's. */
import type { RootfsPaths } from '../rootfs/driver.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import { containerFiles, layerDiff, type StorePaths } from '../store/paths.ts';

type Made = Pick<ContainerRecord, 'layers' | 'rootfs'>;

/** What is below the container's changes, the top layer first. */
export function lowersOf(paths: StorePaths, { rootfs, layers }: Made): string[] {
  if (rootfs) return rootfs.overlay ? [rootfs.path] : [];
  return layers.map((chainId) => layerDiff(paths, chainId)).reverse();
}

/** Of an image without layers: whatever is there, the container has written. */
export const isAllItsOwn = ({ rootfs, layers }: Made): boolean => !rootfs && layers.length === 0;

/** Where its changes go: a directory that is its root as it is keeps them itself. */
export const upperOf = (paths: StorePaths, { id, rootfs }: Pick<ContainerRecord, 'id' | 'rootfs'>): string =>
  rootfs && !rootfs.overlay ? rootfs.path : containerFiles(paths, id).upper;

/** For its storage driver. */
export function rootfsPaths(paths: StorePaths, record: ContainerRecord): RootfsPaths {
  const { work, mountpoint } = containerFiles(paths, record.id);
  return {
    lowers: lowersOf(paths, record),
    upper: upperOf(paths, record),
    work,
    mountpoint,
    discarded: record.autoRemove,
    ids: record.idMaps,
  };
}
