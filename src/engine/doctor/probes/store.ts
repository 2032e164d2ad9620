/** What kind of file system the store is on: some servers know no user namespaces, so a file there cannot get a subordinate owner. */
import { fileSystem } from '../../../store/file-systems.ts';
import { check, type Finding, type Trouble } from '../finding.ts';
import type { HostView } from '../host-view.ts';
import { mountOptions, nearestExisting } from '../mount-table.ts';

const CHECK = check('store', 'store');

export function probeStore(host: HostView): Finding {
  const cause = storeCause(host);
  if (cause && host.access(nearestExisting(host, host.storeRoot), 'write')) return CHECK.blocked(cause);
  return cause ? CHECK.degraded(cause) : CHECK.ok(host.storeRoot);
}

/** What is wrong with the file system of the store, for an error that has just happened; undefined when nothing is known to be. */
export function storeCause(host: HostView): Trouble | undefined {
  const path = nearestExisting(host, host.storeRoot);
  const denied = host.access(path, 'write');
  const elsewhere = 'tsrun --root /var/tmp/$USER/tsrun …   # or any directory on a local disk';
  if (denied)
    return {
      detail: `${path} cannot be written (${denied})`,
      lose: 'images cannot be kept',
      remedy: elsewhere,
    };
  const { name, isRemote, isMemory, isOrdinary } = fileSystem(host.statfs(path)?.magic ?? 0);
  if (isRemote)
    return {
      detail: `${host.storeRoot} is on ${name}, whose server knows no user namespaces`,
      lose: 'images with owners other than root cannot be unpacked as they are',
      remedy: elsewhere,
    };
  if (!isOrdinary)
    return {
      detail: `${host.storeRoot} is on ${name}, which may not let this user give files to subordinate ids`,
      lose: 'images with owners other than root, unless it does: tsrun pull tries it before it downloads',
      remedy: elsewhere,
    };
  if (isMemory)
    return {
      detail: `${host.storeRoot} is in memory (${name})`,
      lose: 'images and containers at the next restart',
      remedy: elsewhere,
    };
  if (mountOptions(host, path)?.includes('noexec'))
    return {
      detail: `${host.storeRoot} is on a file system that is mounted noexec`,
      lose: 'programs of containers whose root is a copy, not an overlay',
      remedy: elsewhere,
    };
  return undefined;
}
