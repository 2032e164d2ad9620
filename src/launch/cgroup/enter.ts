/** Into a cgroup: for a container's first process, and for those that join it later. */
import type { RuntimeConfig } from '../../spec/runtime.ts';
import { call } from '../../sys/calls.ts';
import { AT_FDCWD, CLONE_NEWCGROUP, O_CLOEXEC, O_WRONLY } from '../../sys/constants.ts';
import type { Actor, Slots, Step } from '../../sys/step.ts';

/** Steps that write `value` to a file that is there; with `mayLack`, if it is there. */
export function writeFile(
  actor: Actor,
  slots: Slots,
  path: string,
  value: string,
  why: string,
  mayLack = false,
  tolerate: Step['tolerate'] = [],
): Step[] {
  const fd = slots.new(path.slice(path.lastIndexOf('/') + 1));
  const unless = mayLack ? (['EBADF'] as const) : [];
  return [
    call(actor, why, 'openat', [AT_FDCWD, path, O_WRONLY | O_CLOEXEC, 0], {
      result: fd,
      ...(mayLack && { tolerate: ['ENOENT'] as const }),
    }),
    call(actor, why, 'write', [fd, value, Buffer.byteLength(value)], { tolerate: [...tolerate, ...unless] }),
    call(actor, 'written', 'close', [fd], { tolerate: unless }),
  ];
}

/**
 * The new process moves itself, while it still sees the host's /sys. Only then does it get its cgroup namespace, whose root is the cgroup
 * that it is in (cgroup_namespaces(7)): nothing above is to be seen from inside.
 */
export function enterCgroup(
  slots: Slots,
  directories: readonly string[],
  ownNamespace: boolean,
  tolerate: Step['tolerate'] = [],
): Step[] {
  return [
    ...directories.flatMap((directory) =>
      writeFile('container', slots, `${directory}/cgroup.procs`, '0', 'into its cgroup', false, tolerate),
    ),
    ...(ownNamespace && directories.length > 0
      ? [call('container', 'and it sees no other', 'unshare', [CLONE_NEWCGROUP])]
      : []),
  ];
}

/** Does the container see only its own cgroup? */
export const hidesCgroups = (config: RuntimeConfig): boolean =>
  config.linux.namespaces.some(({ type, path }) => type === 'cgroup' && path === undefined);
