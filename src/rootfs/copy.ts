/**
 * No overlay at all: the container has a full copy of the image in its `upper` directory (made when it is created, see
 * copy-layers.ts), which is simply bound to the mount point. Slow to create and large, but it works on every file system.
 */
import { call } from '../sys/calls.ts';
import { MS_BIND, MS_REC, MS_REMOUNT } from '../sys/constants.ts';
import type { Step } from '../sys/step.ts';
import { type RootfsDriver, VIEW_FLAGS } from './driver.ts';

/** One directory, as it is, to look at. */
export const bindView = (directory: string, mountpoint: string): Step[] => [
  call('rootless', 'the tree is one directory', 'mount', [directory, mountpoint, 0, MS_BIND, 0]),
  call('rootless', 'which is only looked at', 'mount', [
    0,
    mountpoint,
    0,
    MS_REMOUNT | MS_BIND | VIEW_FLAGS,
    0,
  ]),
];

export const copyDriver: RootfsDriver = {
  name: 'copy',
  view: (_slots, { directories, mountpoint }) => bindView(directories[0] ?? '', mountpoint),
  plan: (_slots, paths) => ({
    supervisor: [],
    container: [
      call('container', 'the container’s own copy of the image', 'mount', [
        paths.upper,
        paths.mountpoint,
        0,
        MS_BIND | MS_REC,
        0,
      ]),
    ],
  }),
};
