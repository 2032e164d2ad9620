/** Into a cgroup: for a container's first process, and for those that join it later. */
import type { RuntimeConfig } from '../../spec/runtime.ts';
import { call, writeFile } from '../../sys/calls.ts';
import { CLONE_NEWCGROUP } from '../../sys/constants.ts';
import type { ErrnoName } from '../../sys/errno.ts';
import type { Slots, Step } from '../../sys/step.ts';

/**
 * The new process moves itself, while it still sees the host's /sys. Only then does it get its cgroup namespace, whose root is the cgroup
 * that it is in (cgroup_namespaces(7)): nothing above is to be seen from inside.
 */
export function enterCgroup(
  slots: Slots,
  directories: readonly string[],
  ownNamespace: boolean,
  tolerate: readonly ErrnoName[] = [],
): Step[] {
  return [
    ...directories.flatMap((directory) =>
      writeFile('container', slots, {
        path: `${directory}/cgroup.procs`,
        value: '0',
        why: 'into its cgroup',
        tolerate: { write: tolerate },
      }),
    ),
    ...(ownNamespace && directories.length > 0
      ? [call('container', 'and it sees no other', 'unshare', [CLONE_NEWCGROUP])]
      : []),
  ];
}

/** Does the container see only its own cgroup? */
export const hidesCgroups = (config: RuntimeConfig): boolean =>
  config.linux.namespaces.some(({ type, path }) => type === 'cgroup' && path === undefined);
