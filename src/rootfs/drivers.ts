import { copyDriver } from './copy.ts';
import type { RootfsDriver, RootfsDriverName } from './driver.ts';
import { fuseOverlayfsDriver } from './fuse-overlayfs.ts';
import { overlayDriver } from './overlay.ts';

const DRIVERS: Record<RootfsDriverName, RootfsDriver> = {
  overlay: overlayDriver,
  'fuse-overlayfs': fuseOverlayfsDriver,
  copy: copyDriver,
};

export const rootfsDriver = (name: RootfsDriverName): RootfsDriver => DRIVERS[name];
