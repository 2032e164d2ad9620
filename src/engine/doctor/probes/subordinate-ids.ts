/** subuid(5) and subgid(5): enough subordinate ids for the owners that files of images have. */
import { type IdRange, parseSubordinateIds } from '../../../rootless/subordinate-ids.ts';
import { check, type Finding } from '../finding.ts';
import type { HostView } from '../host-view.ts';

const CHECK = check('subordinate-ids', 'subordinate ids');

/** Images use ids up to 65534 (nobody). */
const WANTED = 65536;

export function probeSubordinateIds(host: HostView): Finding {
  if (host.user.uid === 0) return CHECK.ok('root needs none');
  const [uids, gids] = [ranges(host, '/etc/subuid'), ranges(host, '/etc/subgid')];
  const [uidCount, gidCount] = [size(uids), size(gids)];
  if (uidCount >= WANTED && gidCount >= WANTED) return CHECK.ok(`${show(uids)} (uid), ${show(gids)} (gid)`);
  const none = uidCount === 0 || gidCount === 0;
  const [file, count] = uidCount < WANTED ? ['/etc/subuid', uidCount] : ['/etc/subgid', gidCount];
  return CHECK.degraded({
    detail: none
      ? `${host.user.name} has no range in ${file}`
      : `${host.user.name} has ${count} ids in ${file}; images use ids up to 65534`,
    lose: none
      ? 'containers have one user id: files of other owners in images become yours'
      : 'images with owners above the range cannot be unpacked as they are',
    remedy: addRangeRemedy(host, uidCount < WANTED, gidCount < WANTED),
  });
}

function ranges(host: HostView, file: '/etc/subuid' | '/etc/subgid'): IdRange[] {
  const fromFile = parseSubordinateIds(host.readText(file) ?? '', host.user);
  if (fromFile.length > 0 || !host.which('getsubids')) return fromFile;
  // A directory service may know ranges that the files do not.
  const { status, stdout } = host.run([
    'getsubids',
    ...(file === '/etc/subgid' ? ['-g'] : []),
    host.user.name,
  ]);
  if (status !== 0) return [];
  return [...stdout.matchAll(/^\d+: \S+ (\d+) (\d+)$/gm)].map(([, start, count]) => ({
    start: Number(start),
    count: Number(count),
  }));
}

const size = (list: readonly IdRange[]): number => list.reduce((sum, range) => sum + range.count, 0);
const show = (list: readonly IdRange[]): string =>
  list.map(({ start, count }) => `${start}:${count}`).join(' + ');

/** A range above all that anybody has, so that no two users share an id. */
function addRangeRemedy(host: HostView, uids: boolean, gids: boolean): string {
  const start = Math.max(firstFree(host, '/etc/subuid'), firstFree(host, '/etc/subgid'));
  const range = `${start}-${start + WANTED - 1}`;
  const options = [...(uids ? [`--add-subuids ${range}`] : []), ...(gids ? [`--add-subgids ${range}`] : [])];
  return `sudo usermod ${options.join(' ')} ${host.user.name}`;
}

function firstFree(host: HostView, file: string): number {
  const ends = [...(host.readText(file) ?? '').matchAll(/^[^:#]+:(\d+):(\d+)$/gm)].map(
    ([, a, n]) => Number(a) + Number(n),
  );
  return Math.max(100_000, ...ends);
}
