/** fuse-overlayfs stands in where the kernel's overlay does not work: then it and /dev/fuse must be there. */
import { installRemedy } from '../distribution.ts';
import { check, type Finding } from '../finding.ts';
import { helperVersion } from '../helper-version.ts';
import type { HostView } from '../host-view.ts';

const CHECK = check('overlay', 'layered root file systems');
const LOSE = 'each image is copied in full for each container';

export function probeOverlay(host: HostView): Finding {
  if (/\boverlay$/m.test(host.readText('/proc/filesystems') ?? ''))
    return CHECK.ok(`the kernel’s overlay${fuseNote(host)}`);
  const denied = host.access('/dev/fuse', 'read-write');
  if (!host.which('fuse-overlayfs'))
    return CHECK.degraded({
      detail: 'the kernel has no overlay loaded, and fuse-overlayfs is not installed',
      lose: LOSE,
      remedy: `sudo modprobe overlay || ${installRemedy(host, {
        debian: 'fuse-overlayfs',
        fedora: 'fuse-overlayfs',
        arch: 'fuse-overlayfs',
        alpine: 'fuse-overlayfs',
        suse: 'fuse-overlayfs',
      })}`,
    });
  if (denied)
    return CHECK.degraded({
      detail: `the kernel has no overlay loaded, and /dev/fuse cannot be used (${denied})`,
      lose: LOSE,
      remedy:
        denied === 'ENOENT' ? 'sudo modprobe overlay || sudo modprobe fuse' : 'sudo chmod 0666 /dev/fuse',
    });
  return CHECK.ok(`fuse-overlayfs ${helperVersion(host, 'fuse-overlayfs')}`);
}

function fuseNote(host: HostView): string {
  if (!host.which('fuse-overlayfs')) return '';
  const denied = host.access('/dev/fuse', 'read-write');
  return `; fuse-overlayfs ${helperVersion(host, 'fuse-overlayfs')}${denied ? `, not usable: /dev/fuse ${denied}` : ''}`;
}
