/** The root directory of the forwarders (native/forward/). */
import { call } from '../../sys/calls.ts';
import { CLONE_NEWNS, MNT_DETACH, MS_NODEV, MS_NOSUID, MS_RDONLY } from '../../sys/constants.ts';
import type { Step } from '../../sys/step.ts';

type Rest = Parameters<typeof call> extends [unknown, unknown, ...infer R] ? R : never;

/** A forwarder opens no file: it gets a root directory with none. */
export const emptyRoot = (): Step[] => {
  const step = (why: string, ...rest: Rest): Step => call('helper', why, ...rest);
  return [
    step('mounts of its own', 'unshare', [CLONE_NEWNS]),
    step('a directory with nothing in it', 'mount', [
      'tmpfs',
      '/proc',
      'tmpfs',
      MS_RDONLY | MS_NOSUID | MS_NODEV,
      0,
    ]),
    step('go there', 'chdir', ['/proc']),
    step('that is all there is', 'pivot_root', ['.', '.']),
    step('the old root lies over it', 'umount2', ['.', MNT_DETACH]),
  ];
};
