/**
 * A container's files as the container sees them, volumes included, to be read and written by a process of ours whose root they become.
 *
 * Of one that runs they are what its init sees: the process starts in the init's root directory, found by its pid and then made sure of
 * by its pidfd. Of one that does not run they are mounted as at its start, in a mount namespace of the process's own, while nobody can
 * start it.
 */
import { closeSync, statSync } from 'node:fs';
import { tsrunError } from '../errors.ts';
import { type StartInNamespaces, startByRootless } from '../image/unpack/unpack-process.ts';
import { InRoot } from '../launch/in-root.ts';
import { attach, cloneTree } from '../launch/mounts.ts';
import { containerFiles } from '../store/paths.ts';
import { call } from '../sys/calls.ts';
import { AT_FDCWD, O_CLOEXEC, O_DIRECTORY, O_PATH } from '../sys/constants.ts';
import { openPidfd } from '../sys/process.ts';
import type { Slots, Step } from '../sys/step.ts';
import { rootfsPaths } from './container-rootfs.ts';
import { type ContainerView, viewContainer } from './container-view.ts';
import { mountImage } from './fill-volume.ts';
import { lockContainer } from './lock-container.ts';
import type { Engine } from './open-engine.ts';

export interface ContainerTree extends Disposable {
  start: StartInNamespaces;
  /** For a worker's job: where it finds the tree. */
  root: string;
}

/** @throws ERR_TSRUN_CONTAINER_UNKNOWN when it was removed meanwhile, ERR_TSRUN_NAMESPACES */
export async function containerTree(engine: Engine, view: ContainerView): Promise<ContainerTree> {
  const now = viewContainer(engine, view.record);
  const pidfd = now.state.init && openPidfd(now.state.init);
  if (now.state.init && pidfd !== undefined) return runningTree(engine, now.state.init.pid, pidfd);
  const lock = await lockContainer(engine, view.id);
  if (!lock) throw tsrunError('ERR_TSRUN_CONTAINER_UNKNOWN', { name: view.name });
  if (viewContainer(engine, view.record).state.init) {
    lock.release();
    return await containerTree(engine, view); // somebody has started it meanwhile
  }
  return {
    start: startByRootless(engine.rootless(), (slots) => stoppedSteps(engine, view, slots)),
    root: containerFiles(engine.paths, view.id).mountpoint,
    [Symbol.dispose]: () => lock.release(),
  };
}

function runningTree(engine: Engine, pid: number, pidfd: number): ContainerTree {
  const steps = (slots: Slots): Step[] => {
    const root = slots.new('root');
    return [
      call(
        'rootless',
        'the root directory of the container’s init',
        'openat',
        [AT_FDCWD, `/proc/${pid}/root`, O_PATH | O_DIRECTORY | O_CLOEXEC, 0],
        { result: root },
      ),
      call('rootless', 'it is still that process', 'pidfd_send_signal', [pidfd, 0, 0, 0]),
      call('rootless', 'start there', 'fchdir', [root]),
    ];
  };
  return {
    start: startByRootless(engine.rootless(), steps),
    root: '.',
    [Symbol.dispose]: () => closeSync(pidfd),
  };
}

function stoppedSteps(engine: Engine, { record }: ContainerView, slots: Slots): Step[] {
  const paths = rootfsPaths(engine.paths, record);
  const { mountpoint } = paths;
  const root = slots.new('root');
  const inRoot = new InRoot(slots, root);
  const mounts = record.mounts.filter(({ type }) => type === 'bind' || type === 'volume');
  return [
    ...mountImage(slots, record, paths),
    call(
      'rootless',
      'resolve inside the container',
      'openat',
      [AT_FDCWD, mountpoint, O_PATH | O_DIRECTORY | O_CLOEXEC, 0],
      { result: root },
    ),
    ...mounts.flatMap(({ source, destination }) => {
      const tree = cloneTree(slots, source, `what is mounted on ${destination}`, false);
      const why = `make a place for ${destination}`;
      const place =
        statSync(source, { throwIfNoEntry: false })?.isDirectory() === false
          ? inRoot.ensureFile(destination, why)
          : inRoot.ensureDirectory(destination, why);
      return [...tree.steps, ...place, ...attach(inRoot, tree.fd, destination, `attach ${destination}`)];
    }),
  ];
}
