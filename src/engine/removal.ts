/** Removing a container: steps that the supervisor runs at the end of a `--rm` one, and `tsrun rm` runs in the rootless namespaces. */
import type { ContainerRecord } from '../store/container-record.ts';
import {
  containerDirectory,
  containerFiles,
  containerNamePath,
  lockPath,
  runtimeContainerDirectory,
  type StorePaths,
  temporaryDirectory,
  volumeDirectory,
} from '../store/paths.ts';
import { FD_DIRECTORY } from '../supervisor/protocol.ts';
import { call } from '../sys/calls.ts';
import {
  AT_FDCWD,
  LOCK_EX,
  LOCK_NB,
  LOCK_SH,
  MNT_DETACH,
  O_CLOEXEC,
  O_CREAT,
  O_RDWR,
} from '../sys/constants.ts';
import type { Actor, Slots, Step } from '../sys/step.ts';

/** bytes; checkName() */
const LONGEST_NAME = 128;

export interface RemovalSteps {
  /** After these there is no such container, and its name is free. */
  remove: Step[];
  /** Free the space, for which nobody has to wait. */
  sweep: Step[];
}

/**
 * First the directory leaves containers/ by one rename: from then on there is no such container, whatever happens. Then its name is freed, the
 * one that it has by then, and under the lock of names, or another container that has just got it would lose it; and at last the space. What a
 * kill leaves in names/ and tmp/ the next command sweeps.
 */
export function removalSteps(
  paths: StorePaths,
  record: Pick<ContainerRecord, 'id' | 'mounts' | 'rootfsDriver'>,
  slots: Slots,
  actor: Actor,
  withVolumes: boolean,
): RemovalSteps {
  // Named as made by pid 1 at start time 0, which never was: the sweep of tmp/ takes it for a dead process's unless it is locked.
  const trashFor = (id: string): string => `${temporaryDirectory(paths)}/removed-1-0-${id.slice(0, 16)}`;
  const trash = trashFor(record.id);
  const remove = (path: string, why: string): Step => ({
    actor,
    why,
    op: { kind: 'remove-tree', dir: AT_FDCWD, path },
  });
  const volumes = withVolumes
    ? record.mounts.flatMap(({ anonymous, name, destination }) =>
        anonymous && name !== undefined ? [{ name, destination }] : [],
      )
    : [];
  // As long as the longest name's; zeroed, so that what is read into it ends there.
  const nameLinkSize = Buffer.byteLength(containerNamePath(paths, '')) + LONGEST_NAME + 1;
  const nameLink = { buffer: nameLinkSize };
  const names = slots.new('names');
  const mounted = record.rootfsDriver === 'fuse-overlayfs';
  const gone = [
    ...(actor === 'supervisor'
      ? [
          // Whoever failed to start it still holds it, and waits for us.
          call(actor, 'nobody else needs to empty it', 'flock', [FD_DIRECTORY, LOCK_SH | LOCK_NB], {
            tolerate: ['EAGAIN'],
          }),
        ]
      : []),
    ...(mounted
      ? [
          call(
            actor,
            'the supervisor’s own FUSE mount is in the way',
            'umount2',
            [containerFiles(paths, record.id).mountpoint, MNT_DETACH],
            { tolerate: ['EINVAL', 'ENOENT'] },
          ),
        ]
      : []),
    call(actor, 'where removed things go', 'mkdirat', [AT_FDCWD, temporaryDirectory(paths), 0o700], {
      tolerate: ['EEXIST'],
    }),
    call(
      actor,
      'nobody takes or gives a name meanwhile',
      'openat',
      [AT_FDCWD, lockPath(paths, 'names'), O_RDWR | O_CREAT | O_CLOEXEC, 0o600],
      { result: names },
    ),
    call(actor, 'the lock of names', 'flock', [names, LOCK_EX], { retry: true }),
    call(
      actor,
      'which name it has by now',
      'readlinkat',
      [AT_FDCWD, containerFiles(paths, record.id).name, nameLink, nameLinkSize - 1],
      { tolerate: ['ENOENT'] },
    ),
    // Not there: `rm -f` and the supervisor of a --rm container, which ends it, do this at once.
    call(
      actor,
      'from here on the container does not exist',
      'renameat2',
      [AT_FDCWD, containerDirectory(paths, record.id), AT_FDCWD, trash, 0],
      { tolerate: ['ENOENT'] },
    ),
    call(actor, 'its name is free again', 'unlinkat', [AT_FDCWD, nameLink, 0], { tolerate: ['ENOENT'] }),
    call(actor, 'names may change again', 'close', [names]),
    // As the container: half a volume would be a damaged one.
    ...volumes.map(({ name, destination }) =>
      call(
        actor,
        `nor does its anonymous volume on ${destination}`,
        'renameat2',
        [AT_FDCWD, volumeDirectory(paths, name), AT_FDCWD, trashFor(name), 0],
        { tolerate: ['ENOENT'] },
      ),
    ),
    remove(runtimeContainerDirectory(paths, record.id), 'its sockets'),
  ];
  const sweep = [
    remove(trash, 'its files, whatever ids own them'),
    ...volumes.map(({ name, destination }) =>
      remove(trashFor(name), `the files of the volume on ${destination}`),
    ),
  ];
  return { remove: gone, sweep };
}
