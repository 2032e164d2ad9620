/**
 * What a root filesystem driver is: it makes one writable tree out of an image's layers and a container's own directory.
 *
 * Contract: `plan` is pure; what it lists is run at each start. The tree is mounted at `mountpoint` in the container's mount namespace
 * (so it goes with it); the container's changes are kept in its directory. Nothing is written to a layer.
 */
import type { RootfsSteps } from '../launch/start-program.ts';
import type { IdMaps } from '../rootless/id-map.ts';
import { MS_NODEV, MS_NOSUID, MS_RDONLY } from '../sys/constants.ts';
import type { Slots, Step } from '../sys/step.ts';

export type RootfsDriverName = 'overlay' | 'fuse-overlayfs' | 'copy';

/** Directories of one container, all in the container's directory of the store. */
export interface RootfsPaths {
  /** diff directories of the image's layers, the top one first */
  lowers: readonly string[];
  /** what the container changed */
  upper: string;
  /** overlay's scratch space, on the same file system as upper */
  work: string;
  /** an empty directory to mount on */
  mountpoint: string;
  /** Nothing of it is kept when the container ends. */
  discarded?: boolean | undefined;
  /** The tree is for a nested user namespace with these maps: files show the ids that its processes take for the image's. */
  ids?: IdMaps | undefined;
}

/** A look at a tree writes nothing, runs no program and opens no device. */
export const VIEW_FLAGS = MS_RDONLY | MS_NOSUID | MS_NODEV;

/** Trees of which one may be looked at: what a container sees, or an image. */
export interface ViewPaths {
  /** Directories to merge, the top one first. For `copy`, of a container: its upper only, which is all there is. */
  directories: readonly string[];
  mountpoint: string;
}

export interface RootfsDriver {
  readonly name: RootfsDriverName;
  /**
   * Shows the tree read-only in the mount namespace of whoever runs these steps (actor `rootless`). Its container may run meanwhile, and
   * is not disturbed. Whoever runs the steps unshares its mount namespace first.
   */
  view(slots: Slots, paths: ViewPaths): Step[];
  plan(slots: Slots, paths: RootfsPaths): RootfsSteps;
}
