/** Looking at a container's or an image's tree without starting anything. */
import { call } from '../sys/calls.ts';
import { CLONE_NEWNS, MS_REC, MS_SLAVE } from '../sys/constants.ts';
import type { Slots, Step } from '../sys/step.ts';
import { bindView } from './copy.ts';
import type { RootfsDriverName, ViewPaths } from './driver.ts';
import { rootfsDriver } from './drivers.ts';

/** The tree at `paths.mountpoint`, in a mount namespace that ends with the process that runs these steps. */
export function privateView(slots: Slots, driver: RootfsDriverName, paths: ViewPaths): Step[] {
  return [
    call('rootless', 'mounts that are gone with this process', 'unshare', [CLONE_NEWNS]),
    call('rootless', 'and that appear nowhere else', 'mount', [0, '/', 0, MS_REC | MS_SLAVE, 0]),
    ...(paths.directories.length === 1
      ? bindView(paths.directories[0] ?? '', paths.mountpoint)
      : rootfsDriver(driver).view(slots, paths)),
  ];
}
