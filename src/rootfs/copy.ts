/**
 * No overlay at all: the container has a full copy of the image in its `upper` directory (made when it is created, see
 * copy-layers.ts), which is simply bound to the mount point. Slow to create and large, but it works on every file system.
 */
import { call } from '../sys/calls.ts';
import { MS_BIND, MS_REC } from '../sys/constants.ts';
import type { RootfsDriver } from './driver.ts';

export const copyDriver: RootfsDriver = {
  name: 'copy',
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
