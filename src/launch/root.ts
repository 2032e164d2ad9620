/**
 * Changing the root: pivot_root(2), never chroot(2) alone, from which root can walk out.
 */
import { call } from '../sys/calls.ts';
import {
  AT_FDCWD,
  MNT_DETACH,
  MS_PRIVATE,
  MS_REC,
  O_CLOEXEC,
  O_DIRECTORY,
  O_PATH,
} from '../sys/constants.ts';
import type { Slot, Step } from '../sys/step.ts';

/** First of all in a new mount namespace: no mount of the container may appear outside, and pivot_root wants it so. */
export const isolatePropagation = (): Step =>
  call('container', 'no mount made here may appear outside', 'mount', [0, '/', 0, MS_REC | MS_PRIVATE, 0]);

/** Makes the mount at `path` the root and lets go of the old one; `root` receives a descriptor of it. */
export function pivot(path: string, root: Slot): Step[] {
  return [
    call('container', 'stand in the new root', 'chdir', [path]),
    call('container', 'make it the root; the old root lies on top of it for a moment', 'pivot_root', [
      '.',
      '.',
    ]),
    call('container', 'let go of the host: nothing of it can be named from here on', 'umount2', [
      '.',
      MNT_DETACH,
    ]),
    call('container', 'stand in the new root', 'chdir', ['/']),
    call(
      'container',
      'resolve every path below from here',
      'openat',
      [AT_FDCWD, '/', O_PATH | O_DIRECTORY | O_CLOEXEC, 0],
      {
        result: root,
      },
    ),
  ];
}
