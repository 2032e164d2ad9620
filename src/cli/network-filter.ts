/** `--filter` of `tsrun network ls` and `network prune`. */
import type { Engine } from '../engine/open-engine.ts';
import { type BridgeNetwork, DEFAULT_NETWORK } from '../network/bridge-network.ts';
import { type Filter, labelMatches, matchesFilters } from './parse/filter.ts';
import { parseMoment } from './parse/time.ts';
import { usageError } from './parse/usage.ts';

export const NETWORK_FILTERS = [
  'name',
  'id',
  'label',
  'label!',
  'driver',
  'scope',
  'type',
  'dangling',
  'until',
] as const;

type Test = (network: BridgeNetwork) => boolean;

/** Throws ERR_TSRUN_USAGE. */
function testOf({ key, value }: Filter, isUsed: (name: string) => boolean): Test {
  switch (key) {
    case 'name':
      return ({ name }) => name.includes(value);
    case 'id':
      return ({ id }) => id.startsWith(value);
    case 'label':
      return ({ labels }) => labelMatches(labels, value);
    case 'label!':
      return ({ labels }) => !labelMatches(labels, value);
    case 'driver':
      return () => value === 'bridge';
    case 'scope':
      return () => value === 'local';
    case 'type':
      return ({ name }) => (name === DEFAULT_NETWORK ? 'builtin' : 'custom') === value;
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

export async function filterNetworks(
  engine: Engine,
  networks: readonly BridgeNetwork[],
  filters: readonly Filter[],
): Promise<BridgeNetwork[]> {
  if (filters.length === 0) return [...networks];
  const { networkUsers } = await import('../engine/manage-networks.ts');
  const isUsed = (name: string): boolean => networkUsers(engine, name).length > 0;
  const tests = new Map(filters.map((filter) => [filter, testOf(filter, isUsed)]));
  return networks.filter((network) =>
    matchesFilters(filters, (filter) => tests.get(filter)?.(network) ?? false, ['label', 'label!']),
  );
}
