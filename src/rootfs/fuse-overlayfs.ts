/**
 * fuse-overlayfs(1): overlay in user space, where the kernel's does not work on this file system.
 *
 * The supervisor mounts in a mount namespace of its own, so that the mount goes with it; the helper serves it and dies with the
 * supervisor. fuse-overlayfs goes to the background when the mount is there, so its first process's exit is the readiness.
 */
import { call, op, waitForSuccess } from '../sys/calls.ts';
import { CLONE_NEWNS, CLOSE_RANGE_CLOEXEC, MS_BIND, MS_REC, MS_SLAVE, SIGCHLD } from '../sys/constants.ts';
import type { Step } from '../sys/step.ts';
import type { RootfsDriver } from './driver.ts';

/** `\` and `:` separate layers, `,` options (fuse-overlayfs(1)). */
const quote = (path: string): string => path.replace(/[\\:,]/g, '\\$&');

export const fuseOverlayfsDriver: RootfsDriver = {
  name: 'fuse-overlayfs',
  plan: (slots, paths) => {
    const helper = slots.new('fuse-overlayfs');
    const options = `lowerdir=${paths.lowers.map(quote).join(':')},upperdir=${quote(paths.upper)},workdir=${quote(paths.work)}`;
    const argv = { strings: ['fuse-overlayfs', '-o', options, paths.mountpoint] };
    const env = { strings: ['PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin'] };
    const attempts = ['/usr/bin/fuse-overlayfs', '/usr/local/bin/fuse-overlayfs', '/bin/fuse-overlayfs'];
    const child: Step[] = [
      call('helper', 'it needs no descriptor of ours', 'close_range', [3, 0xffffffff, CLOSE_RANGE_CLOEXEC]),
      ...attempts.map((path, i) =>
        call('helper', 'serve the layers as one tree', 'execve', [path, argv, env], {
          tolerate: i < attempts.length - 1 ? ['ENOENT'] : [],
        }),
      ),
    ];
    return {
      supervisor: [
        call('supervisor', 'the FUSE mount belongs to this container only', 'unshare', [CLONE_NEWNS]),
        call('supervisor', 'and appears nowhere else', 'mount', [0, '/', 0, MS_REC | MS_SLAVE, 0]),
        op('supervisor', 'run fuse-overlayfs', {
          kind: 'clone',
          flags: 0n,
          exitSignal: SIGCHLD,
          pidfd: helper,
          child,
        }),
        ...waitForSuccess('supervisor', 'wait until fuse-overlayfs has mounted', helper, slots),
      ],
      // pivot_root wants a mount of this namespace; the FUSE mount was inherited from the supervisor's.
      container: [
        call('container', 'the tree that fuse-overlayfs serves', 'mount', [
          paths.mountpoint,
          paths.mountpoint,
          0,
          MS_BIND | MS_REC,
          0,
        ]),
      ],
    };
  },
};
