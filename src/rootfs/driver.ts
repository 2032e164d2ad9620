/**
 * What a root filesystem driver is: it makes one writable tree out of an image's layers and a container's own directory.
 *
 * Contract: `plan` is pure; what it lists is run at each start. The tree is mounted at `mountpoint` in the container's mount namespace
 * (so it goes with it); the container's changes are kept in its directory. Nothing is written to a layer.
 */
import type { RootfsSteps } from '../launch/start-program.ts';
import type { Slots } from '../sys/step.ts';

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
}

export interface RootfsDriver {
  readonly name: RootfsDriverName;
  plan(slots: Slots, paths: RootfsPaths): RootfsSteps;
}
