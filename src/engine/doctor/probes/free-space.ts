import { check, type Finding } from '../finding.ts';
import type { HostView } from '../host-view.ts';
import { nearestExisting } from '../mount-table.ts';

const CHECK = check('free-space', 'free space');
const GIB = 2 ** 30;

export function probeFreeSpace(host: HostView): Finding {
  const free = host.statfs(nearestExisting(host, host.storeRoot))?.freeBytes;
  if (free === undefined)
    return CHECK.degraded({ detail: `the file system of ${host.storeRoot} does not say` });
  const text = `${(free / GIB).toFixed(1)} GiB at ${host.storeRoot}`;
  if (free >= GIB) return CHECK.ok(text);
  return CHECK.degraded({
    detail: `only ${text}`,
    lose: 'larger images do not fit',
    remedy: 'tsrun images   # then: tsrun rmi IMAGE …',
  });
}
