/**
 * A new volume begins with what the image has at its place.
 *
 * The image's tree is mounted as the container will see it, in a mount namespace that is gone afterwards, and the place is looked up by
 * the kernel inside that tree: an image whose /data is a link to /home would otherwise have the user's own files copied into its volume.
 */
import { chmodSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { InRoot } from '../launch/in-root.ts';
import type { RootfsPaths } from '../rootfs/driver.ts';
import { rootfsDriver } from '../rootfs/drivers.ts';
import { removeTreeInside } from '../rootless/enter.ts';
import type { ContainerRecord, RecordedMount } from '../store/container-record.ts';
import { temporaryPath } from '../store/temporary.ts';
import { call } from '../sys/calls.ts';
import { AT_FDCWD, CLONE_NEWNS, MS_REC, MS_SLAVE, O_CLOEXEC, O_DIRECTORY, O_PATH } from '../sys/constants.ts';
import type { Slots, Step } from '../sys/step.ts';
import { lowersOf } from './container-rootfs.ts';
import type { Engine } from './open-engine.ts';
import { runCommandInside } from './run-command-inside.ts';

/** A directory that this user may not even list was filled before, and belongs to a user of the container. */
function isEmpty(directory: string): boolean {
  try {
    return readdirSync(directory).length === 0;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EACCES') return false;
    throw error;
  }
}

/**
 * Copies the image's content of `volume.destination`, if it has a directory there, into an empty volume.
 * @param upper the container's own layer, where it is being made. @throws ERR_TSRUN_STORE, ERR_TSRUN_NAMESPACES
 */
export async function fillVolume(
  engine: Engine,
  record: ContainerRecord,
  upper: string,
  volume: RecordedMount,
): Promise<void> {
  if (!isEmpty(volume.source)) return;
  const scratch = temporaryPath(engine.paths, 'fill');
  const at = (name: string): string => join(scratch, name);
  for (const name of ['upper', 'work', 'merged', 'nothing'])
    mkdirSync(at(name), { recursive: true, mode: 0o755 });
  chmodSync(at('nothing'), 0o755); // copied as it is, whatever the umask
  const lowers = lowersOf(engine.paths, record);
  // The `copy` driver's tree is the container's own; the others' would be changed by a mount of it elsewhere.
  const own = record.rootfsDriver === 'copy' ? upper : at('upper');
  const paths: RootfsPaths = {
    lowers,
    upper: own,
    work: at('work'),
    mountpoint: at('merged'),
    ids: record.idMaps,
  };
  const doing = `fill the volume on ${volume.destination}`;
  const argv = ['/bin/cp', '-a', '--reflink=auto', '.', `${volume.source}/`];
  try {
    await runCommandInside(engine, argv, doing, (slots) => [
      ...mountImage(slots, record, paths),
      call('rootless', 'copy nothing if the image has no such directory', 'chdir', [at('nothing')]),
      ...enterPlace(slots, paths.mountpoint, volume.destination),
    ]);
  } finally {
    removeTreeInside(engine.rootless(), [scratch]);
  }
}

/** Mounts the image's tree at `paths.mountpoint`, in a mount namespace of the process's own; for `copy` it is the container's own copy. */
export function mountImage(slots: Slots, record: ContainerRecord, paths: RootfsPaths): Step[] {
  const { supervisor, container } = rootfsDriver(record.rootfsDriver).plan(slots, paths);
  return [
    call('rootless', 'mounts that are gone with this process', 'unshare', [CLONE_NEWNS]),
    call('rootless', 'and that appear nowhere else', 'mount', [0, '/', 0, MS_REC | MS_SLAVE, 0]),
    ...supervisor,
    ...container,
  ];
}

/** Changes into the directory that `path` is inside the tree, if there is one. */
function enterPlace(slots: Slots, tree: string, path: string): Step[] {
  const root = slots.new('tree');
  const place = new InRoot(slots, root).open(path, `find ${path} inside the image`, 'directory');
  return [
    call(
      'rootless',
      'resolve inside the image',
      'openat',
      [AT_FDCWD, tree, O_PATH | O_DIRECTORY | O_CLOEXEC, 0],
      {
        result: root,
      },
    ),
    ...place.steps.map((step): Step => ({ ...step, tolerate: ['ENOENT', 'ENOTDIR', 'ELOOP'] })),
    call('rootless', 'copy what is there', 'fchdir', [place.fd], { tolerate: ['EBADF'] }),
  ];
}
