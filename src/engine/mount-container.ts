/**
 * Containers mounted to be looked at: `tsrun mount`. What is shown is what the container has made of its image, read-only and without its
 * volumes and other mounts; it may run meanwhile.
 */
import { bindView } from '../rootfs/copy.ts';
import { rootfsDriver } from '../rootfs/drivers.ts';
import { ContainerStore } from '../store/containers.ts';
import { ImageStore } from '../store/images.ts';
import type { StorePaths } from '../store/paths.ts';
import { logContainerEvent } from './container-events.ts';
import type { ContainerView } from './container-view.ts';
import { type LookedAt, mountTree, unmountTree } from './mount-tree.ts';
import type { Engine } from './open-engine.ts';
import { containerDirectories } from './pack-tree.ts';

/** What of the engine there is in `tsrun unshare`. */
export type InsideEngine = Pick<Engine, 'paths' | 'containers' | 'images'>;

/** The containers of a store, to be looked at from inside; none is started or stopped from there, so nothing of the runtime is known. */
export function openInside(root: string): InsideEngine {
  const paths: StorePaths = { root, runtime: '' };
  return { paths, containers: new ContainerStore(paths), images: new ImageStore(paths) };
}

const lookedAt = ({ id, name }: ContainerView): LookedAt => ({ id, label: `container ${name}` });

/** Mounts the container's tree unless it is mounted; returns where. Throws ERR_TSRUN_STORE. */
export function mountContainer(engine: InsideEngine, view: ContainerView): string {
  const directories = containerDirectories(engine, view.record);
  const [only = ''] = directories;
  return mountTree(
    engine.paths,
    lookedAt(view),
    (slots, mountpoint) =>
      directories.length === 1
        ? bindView(only, mountpoint)
        : // by the kernel in any case: see mount-image.ts
          rootfsDriver('overlay').view(slots, { directories, mountpoint }),
    () => logContainerEvent(engine, view.record, 'mount'),
  );
}

/** Unmounts the container, if it is mounted; returns whether it was. @param force even while something in it is in use. Throws ERR_TSRUN_STORE. */
export function unmountContainer(engine: InsideEngine, view: ContainerView, force: boolean): boolean {
  return unmountTree(engine.paths, lookedAt(view), force, () =>
    logContainerEvent(engine, view.record, 'unmount'),
  );
}
