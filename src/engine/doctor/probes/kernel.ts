import { check, type Finding } from '../finding.ts';
import type { HostView } from '../host-view.ts';

const CHECK = check('kernel', 'kernel');

/** mount_setattr(2) came last of what the launch needs: clone3 5.3, openat2 5.6, close_range 5.9, overlay in user namespaces 5.11. */
const WANTED = [5, 12] as const;

export function kernelAtLeast(release: string, major: number, minor: number): boolean {
  const [has = 0, hasMinor = 0] = release.split('.').map((part) => Number.parseInt(part, 10));
  return has > major || (has === major && hasMinor >= minor);
}

export function probeKernel({ kernelRelease }: HostView): Finding {
  if (kernelAtLeast(kernelRelease, ...WANTED)) return CHECK.ok(`Linux ${kernelRelease}`);
  return CHECK.blocked({
    detail: `Linux ${kernelRelease}; the launch needs mount_setattr(2), which came with ${WANTED.join('.')}`,
  });
}
