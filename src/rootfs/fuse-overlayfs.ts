/**
 * fuse-overlayfs(1): overlay in user space, where the kernel's does not work on this file system.
 *
 * The FUSE mount is made here, and fuse-overlayfs only serves it (`/dev/fd/N` as mount point is libfuse's word for that): so it is there
 * at once, without waiting for a daemon to say so, and the server stays our child, which dies with the supervisor. The mount is in a
 * mount namespace of the supervisor's own, so it appears nowhere else and needs no unmounting.
 */

import type { IdMap } from '../rootless/id-map.ts';
import { call, close, op } from '../sys/calls.ts';
import {
  AT_FDCWD,
  CLONE_NEWNS,
  CLOSE_RANGE_CLOEXEC,
  MNT_DETACH,
  MS_BIND,
  MS_REC,
  MS_SLAVE,
  O_CLOEXEC,
  O_RDWR,
  PR_SET_PDEATHSIG,
  SIGCHLD,
  SIGKILL,
} from '../sys/constants.ts';
import type { Slot, Slots, Step } from '../sys/step.ts';
import { type RootfsDriver, type RootfsPaths, VIEW_FLAGS } from './driver.ts';

/** `\` and `:` separate layers, `,` options (fuse-overlayfs(1)). */
const quote = (path: string): string => path.replace(/[\\:,]/g, '\\$&');

const PLACES = ['/usr/bin/fuse-overlayfs', '/usr/local/bin/fuse-overlayfs', '/bin/fuse-overlayfs'];
/** Where the server finds the FUSE device. */
const DEVICE_FD = 3;

/** On the disk a file has the id that the container sees; the kernel is told the one that this means outside. */
function mappings({ ids }: RootfsPaths): string {
  if (!ids) return '';
  const words = (map: IdMap): string => map.map((e) => `${e.containerID}:${e.hostID}:${e.size}`).join(':');
  return `,uidmapping=${words(ids.uids)},gidmapping=${words(ids.gids)}`;
}

/** The option that names the layers, the top one first. */
const lowerdir = (directories: readonly string[]): string => `lowerdir=${directories.map(quote).join(':')}`;

/** @param options of fuse-overlayfs: its directories */
function server(options: string, device: Slot): Step[] {
  const argv = { strings: ['fuse-overlayfs', '-f', '-o', options, `/dev/fd/${DEVICE_FD}`] };
  return [
    call('helper', 'die with the supervisor', 'prctl', [PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0]),
    call('helper', 'the device, at a known number', 'dup3', [device, DEVICE_FD, 0], { tolerate: ['EINVAL'] }),
    call('helper', 'it needs no other descriptor of ours', 'close_range', [
      DEVICE_FD + 1,
      0xffffffff,
      CLOSE_RANGE_CLOEXEC,
    ]),
    ...PLACES.map((path, i) =>
      call('helper', 'serve the layers as one tree', 'execve', [path, argv, { strings: [] }], {
        tolerate: i < PLACES.length - 1 ? ['ENOENT'] : [],
      }),
    ),
  ];
}

/** @param actor who mounts, in a mount namespace of its own, and whose end ends the server */
function serve(
  slots: Slots,
  mountpoint: string,
  layers: string,
  flags: number,
  actor: Step['actor'],
): Step[] {
  const device = slots.new('/dev/fuse');
  const options = {
    text: ['fd=', device, ',rootmode=40000,user_id=0,group_id=0,default_permissions,allow_other'],
  };
  const mount = ['fuse-overlayfs', mountpoint, 'fuse.fuse-overlayfs', flags, options];
  const child = server(layers, device);
  return [
    call(actor, 'a channel to the kernel', 'openat', [AT_FDCWD, '/dev/fuse', O_RDWR | O_CLOEXEC, 0], {
      result: device,
    }),
    call(actor, 'a file system that is served through it', 'mount', mount),
    op(actor, 'run fuse-overlayfs', { kind: 'clone', flags: 0n, exitSignal: SIGCHLD, child }),
    close(actor, 'fuse-overlayfs has it', device),
  ];
}

function supervisorSteps(slots: Slots, paths: RootfsPaths): Step[] {
  const { lowers, upper, work, mountpoint } = paths;
  const layers = `${lowerdir(lowers)},upperdir=${quote(upper)},workdir=${quote(work)}${mappings(paths)}`;
  return [
    call('supervisor', 'the FUSE mount belongs to this container only', 'unshare', [CLONE_NEWNS]),
    call('supervisor', 'and appears nowhere else', 'mount', [0, '/', 0, MS_REC | MS_SLAVE, 0]),
    call('supervisor', 'the server of an earlier start ended with it', 'umount2', [mountpoint, MNT_DETACH], {
      tolerate: ['EINVAL'],
    }),
    ...serve(slots, mountpoint, layers, 0, 'supervisor'),
  ];
}

export const fuseOverlayfsDriver: RootfsDriver = {
  name: 'fuse-overlayfs',
  view: (slots, { directories, mountpoint }) =>
    serve(slots, mountpoint, lowerdir(directories), VIEW_FLAGS, 'rootless'),
  plan: (slots, paths) => ({
    supervisor: supervisorSteps(slots, paths),
    // pivot_root wants a mount of the container's own namespace; this one was inherited from the supervisor's.
    container: [
      call('container', 'the tree that fuse-overlayfs serves', 'mount', [
        paths.mountpoint,
        paths.mountpoint,
        0,
        MS_BIND | MS_REC,
        0,
      ]),
    ],
  }),
};
