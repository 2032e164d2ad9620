/** `--filter` of `tsrun volume ls` and `volume prune`. */
import type { Engine } from '../engine/open-engine.ts';
import type { VolumeRecord } from '../store/volumes.ts';
import { type Filter, labelMatches, matchesFilters } from './parse/filter.ts';
import { parseMoment } from './parse/time.ts';
import { usageError } from './parse/usage.ts';

export const VOLUME_FILTERS = [
  'name',
  'label',
  'label!',
  'driver',
  'scope',
  'opt',
  'dangling',
  'until',
] as const;

type Test = (volume: VolumeRecord) => boolean;

/** Throws ERR_TSRUN_USAGE. */
function testOf({ key, value }: Filter, isUsed: (name: string) => boolean): Test {
  switch (key) {
    case 'name':
      return ({ name }) => name.includes(value);
    case 'label':
      return ({ labels }) => labelMatches(labels, value);
    case 'label!':
      return ({ labels }) => !labelMatches(labels, value);
    case 'driver':
    case 'scope':
      return () => value === 'local';
    case 'opt':
      return ({ options }) => labelMatches(options, value);
    case 'dangling': {
      const wanted = ['true', '1'].includes(value);
      if (!wanted && !['false', '0'].includes(value))
        throw usageError(`--filter dangling=${value}: true or false`);
      return ({ name }) => isUsed(name) !== wanted;
    }
    default: {
      const until = parseMoment(value, '--filter until', Date.now());
      return ({ createdAt }) => createdAt < until;
    }
  }
}

export async function filterVolumes(
  engine: Engine,
  volumes: readonly VolumeRecord[],
  filters: readonly Filter[],
): Promise<VolumeRecord[]> {
  if (filters.length === 0) return [...volumes];
  const { volumeUsers } = await import('../engine/volume-users.ts');
  const users = volumeUsers(engine);
  const tests = new Map(filters.map((filter) => [filter, testOf(filter, (name) => users.has(name))]));
  return volumes.filter((volume) =>
    matchesFilters(filters, (filter) => tests.get(filter)?.(volume) ?? false, ['label', 'label!', 'opt']),
  );
}
