/** `--filter` of `tsrun network ls` and `network prune`. */
import type { Engine } from '../engine/open-engine.ts';
import { type BridgeNetwork, DEFAULT_NETWORK } from '../network/bridge-network.ts';
import { NAMED_FILTERS, namedTest } from './named-filter.ts';
import { type Filter, matchesFilters } from './parse/filter.ts';

export const NETWORK_FILTERS = [...NAMED_FILTERS, 'id', 'type'] as const;

type OwnFilter = Filter<(typeof NETWORK_FILTERS)[number]>;

/** Throws ERR_TSRUN_USAGE. */
function testOf(
  { key, value }: OwnFilter,
  isUsed: (name: string) => boolean,
): (network: BridgeNetwork) => boolean {
  switch (key) {
    case 'id':
      return ({ id }) => id.startsWith(value);
    case 'type':
      return ({ name }) => (name === DEFAULT_NETWORK ? 'builtin' : 'custom') === value;
    default:
      return namedTest({ key, value }, 'bridge', isUsed);
  }
}

export async function filterNetworks(
  engine: Engine,
  networks: readonly BridgeNetwork[],
  filters: readonly OwnFilter[],
): Promise<BridgeNetwork[]> {
  if (filters.length === 0) return [...networks];
  const { networkUsers } = await import('../engine/manage-networks.ts');
  const isUsed = (name: string): boolean => networkUsers(engine, name).length > 0;
  const tests = new Map(filters.map((filter) => [filter, testOf(filter, isUsed)]));
  return networks.filter((network) =>
    matchesFilters(filters, (filter) => tests.get(filter)?.(network) ?? false, ['label', 'label!']),
  );
}
