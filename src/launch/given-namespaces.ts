/** Namespaces that the configuration names by a path (runtime-spec config-linux.md): they are joined, not made. */
import type { NamespaceType, RuntimeConfig } from '../spec/runtime.ts';
import { call, close } from '../sys/calls.ts';
import {
  AT_FDCWD,
  CLONE_NEWCGROUP,
  CLONE_NEWIPC,
  CLONE_NEWNET,
  CLONE_NEWNS,
  CLONE_NEWTIME,
  CLONE_NEWUTS,
  O_CLOEXEC,
  O_RDONLY,
} from '../sys/constants.ts';
import type { Slots, Step } from '../sys/step.ts';

/** A process can join these on its own; for the others it would have to be born in them. */
const JOINABLE: Partial<Record<NamespaceType, bigint>> = {
  network: CLONE_NEWNET,
  ipc: CLONE_NEWIPC,
  uts: CLONE_NEWUTS,
  cgroup: CLONE_NEWCGROUP,
  time: CLONE_NEWTIME,
};

/** To be run while paths of the host can still be named. @throws RangeError for a type that cannot be joined */
export function joinGivenNamespaces(slots: Slots, config: RuntimeConfig): Step[] {
  return config.linux.namespaces.flatMap(({ type, path }) => {
    // Whoever is to be in a pid namespace has been born in it.
    if (path === undefined || type === 'pid') return [];
    const flag = JOINABLE[type];
    if (flag === undefined) throw new RangeError(`a ${type} namespace cannot be joined`);
    const fd = slots.new(`${type} namespace`);
    return [
      call(
        'container',
        `find the ${type} namespace to join`,
        'openat',
        [AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0],
        {
          result: fd,
        },
      ),
      call('container', `join the ${type} namespace, with its check that it is one`, 'setns', [fd, flag]),
      close('container', 'joined', fd),
    ];
  });
}

/** Those that a process of the host may want to be in, by their names in /proc/PID/ns. */
const OF_A_CONTAINER = {
  net: CLONE_NEWNET,
  mnt: CLONE_NEWNS,
  ipc: CLONE_NEWIPC,
  uts: CLONE_NEWUTS,
  cgroup: CLONE_NEWCGROUP,
} as const;
export type JoinableName = keyof typeof OF_A_CONTAINER;

/** @param pidfd of the container's init; whoever executes it is root of the user namespace that owns them */
export function joinNamespacesOf(pidfd: number, types: readonly JoinableName[]): Step {
  const flags = types.reduce((all, type) => all | OF_A_CONTAINER[type], 0n);
  return call('rootless', `join the container’s namespaces: ${types.join(', ')}`, 'setns', [pidfd, flags]);
}
