/** `--filter` of `tsrun volume ls` and `volume prune`. */
import type { Engine } from '../engine/open-engine.ts';
import type { VolumeRecord } from '../store/volumes.ts';
import { NAMED_FILTERS, namedTest } from './named-filter.ts';
import { type Filter, labelMatches, matchesFilters } from './parse/filter.ts';

export const VOLUME_FILTERS = [...NAMED_FILTERS, 'opt'] as const;

type OwnFilter = Filter<(typeof VOLUME_FILTERS)[number]>;

/** Throws ERR_TSRUN_USAGE. */
function testOf(
  { key, value }: OwnFilter,
  isUsed: (name: string) => boolean,
): (volume: VolumeRecord) => boolean {
  switch (key) {
    case 'opt':
      return ({ options }) => labelMatches(options, value);
    default:
      return namedTest({ key, value }, 'local', isUsed);
  }
}

export async function filterVolumes(
  engine: Engine,
  volumes: readonly VolumeRecord[],
  filters: readonly OwnFilter[],
): Promise<VolumeRecord[]> {
  if (filters.length === 0) return [...volumes];
  const { volumeUsers } = await import('../engine/volume-users.ts');
  const users = volumeUsers(engine);
  const tests = new Map(filters.map((filter) => [filter, testOf(filter, (name) => users.has(name))]));
  return volumes.filter((volume) =>
    matchesFilters(filters, (filter) => tests.get(filter)?.(volume) ?? false, ['label', 'label!', 'opt']),
  );
}
