/**
 * OCI mounts → system calls.
 *
 * Every mount is made in two halves. Before pivot_root, while the host is still visible, its *source* is opened as a mount
 * that is attached nowhere: open_tree(2) clones a path of the host, fsopen(2)…fsmount(2) makes a new file system. After pivot_root,
 * when every path resolves inside the container's root, it is *attached* with move_mount(2) to a descriptor of its
 * destination. So no source can be swapped for a link in between, and no destination can lead out. (The kernel allows a new proc or
 * sysfs only while an unobstructed one is in sight, which is another reason for the first half: mount_namespaces(7).)
 */

import type { RuntimeMount } from '../spec/runtime.ts';
import { call, close } from '../sys/calls.ts';
import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  AT_RECURSIVE,
  CLONE_NEWNS,
  FSCONFIG_CMD_CREATE,
  FSCONFIG_SET_FLAG,
  FSCONFIG_SET_STRING,
  FSMOUNT_CLOEXEC,
  FSOPEN_CLOEXEC,
  MOVE_MOUNT_F_EMPTY_PATH,
  MOVE_MOUNT_T_EMPTY_PATH,
  O_CLOEXEC,
  O_RDONLY,
  OPEN_TREE_CLOEXEC,
  OPEN_TREE_CLONE,
} from '../sys/constants.ts';
import type { Memory, Slot, Slots, Step } from '../sys/step.ts';
import type { InRoot } from './in-root.ts';
import { MOUNT_NAMESPACE, parseMountOptions } from './mount-options.ts';

/** struct mount_attr (mount_setattr(2)) */
const mountAttr = (set: number, propagation: number): Memory => ({
  fields: [set, 0, propagation, 0].map((value) => ({ width: 8, value }) as const),
  say: `{attr_set=0x${set.toString(16)}, propagation=0x${propagation.toString(16)}}`,
});
const MOUNT_ATTR_SIZE = 32;

/** A mount that is attached nowhere, in a slot. */
export interface DetachedMount {
  steps: Step[];
  fd: Slot;
}

/** Sets attributes and propagation of the mount `fd`. */
export function setAttributes(
  fd: Slot,
  why: string,
  set: number,
  propagation: number,
  recursive: boolean,
): Step {
  const flags = AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0);
  return call('container', why, 'mount_setattr', [
    fd,
    '',
    flags,
    mountAttr(set, propagation),
    MOUNT_ATTR_SIZE,
  ]);
}

/** A copy of the mount at `path` of the host (or of the open file `path`). */
export function cloneTree(slots: Slots, path: string | Slot, why: string, recursive: boolean): DetachedMount {
  const fd = slots.new(typeof path === 'string' ? path : path.name);
  const flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (recursive ? AT_RECURSIVE : 0);
  const args = typeof path === 'string' ? [AT_FDCWD, path, flags] : [path, '', flags | AT_EMPTY_PATH];
  return { fd, steps: [call('container', why, 'open_tree', args, { result: fd })] };
}

/** A new file system. `data`: its own options. @param attributes MOUNT_ATTR_* */
export function newFilesystem(
  slots: Slots,
  type: string,
  why: string,
  attributes: number,
  data: readonly (readonly [string] | readonly [string, string])[],
): DetachedMount {
  const context = slots.new(`${type}.context`);
  const fd = slots.new(type);
  const steps = [call('container', why, 'fsopen', [type, FSOPEN_CLOEXEC], { result: context })];
  for (const [key, value] of data) {
    const args =
      value === undefined
        ? [context, FSCONFIG_SET_FLAG, key, 0, 0]
        : [context, FSCONFIG_SET_STRING, key, value, 0];
    steps.push(call('container', why, 'fsconfig', args));
  }
  steps.push(call('container', why, 'fsconfig', [context, FSCONFIG_CMD_CREATE, 0, 0, 0]));
  steps.push(call('container', why, 'fsmount', [context, FSMOUNT_CLOEXEC, attributes], { result: fd }));
  steps.push(close('container', 'the file system is made', context));
  return { fd, steps };
}

/** First half of an OCI mount. */
export function mountSource(slots: Slots, mount: RuntimeMount, why: string): DetachedMount {
  const options = parseMountOptions(mount.options ?? []);
  if (options.bind === 'none' && mount.type !== 'bind') {
    const type = mount.type ?? 'none';
    const source = mount.source === undefined ? [] : [['source', mount.source] as const];
    return newFilesystem(slots, type, why, options.attributes, [...source, ...options.data]);
  }
  const recursive = options.bind !== 'bind';
  const elsewhere = options.data.find(([key]) => key === MOUNT_NAMESPACE)?.[1];
  const copy = cloneTree(slots, mount.source ?? '', why, recursive);
  const tree = elsewhere === undefined ? copy : inMountNamespace(slots, elsewhere, copy);
  // Read-only and the like apply to the mount itself; its submounts keep theirs unless `rro` says otherwise.
  const steps = [
    ...tree.steps,
    setAttributes(tree.fd, 'receive no mounts of the host', 0, options.propagation, recursive),
  ];
  if (options.attributes !== 0) {
    steps.push(
      setAttributes(
        tree.fd,
        `mount it ${mount.options?.join(',')}`,
        options.attributes,
        0,
        options.recursive,
      ),
    );
  }
  return { fd: tree.fd, steps };
}

/** Takes a mount of another container, whose root it is looked for in, and comes back. */
function inMountNamespace(slots: Slots, path: string, mount: DetachedMount): DetachedMount {
  const own = slots.new('own mounts');
  const theirs = slots.new('their mounts');
  const open = (file: string, why: string, result: Slot): Step =>
    call('container', why, 'openat', [AT_FDCWD, file, O_RDONLY | O_CLOEXEC, 0], { result });
  const steps = [
    open('/proc/self/ns/mnt', 'know the way back', own),
    open(path, 'find the mount namespace of the other container', theirs),
    call('container', 'see its mounts', 'setns', [theirs, CLONE_NEWNS]),
    ...mount.steps,
    call('container', 'come back', 'setns', [own, CLONE_NEWNS]),
    close('container', 'back', own),
    close('container', 'seen', theirs),
  ];
  return { fd: mount.fd, steps };
}

/** Second half: attaches a detached mount at `destination` inside the root, which must exist. */
export function attach(inRoot: InRoot, mount: Slot, destination: string, why: string): Step[] {
  const target = inRoot.open(destination, `find ${destination} inside the root`);
  return [
    ...target.steps,
    moveMount(mount, target.fd, why),
    close('container', 'attached', target.fd),
    close('container', 'attached', mount),
  ];
}

export const moveMount = (mount: Slot, target: Slot, why: string): Step =>
  call('container', why, 'move_mount', [
    mount,
    '',
    target,
    '',
    MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH,
  ]);
