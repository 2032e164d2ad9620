import { defineCommand } from '../command.ts';
import { confirm } from '../confirm.ts';
import { filterNetworks } from '../network-filter.ts';
import { filterOption } from '../options/filter-option.ts';
import { flag } from '../options/option.ts';
import { print } from '../output.ts';

const KEYS = ['label', 'label!', 'until'] as const;

export const NETWORK_PRUNE = defineCommand({
  usage: '',
  operands: [0, 0],
  text: 'Removes the networks that no container uses, not even a stopped one, and prints their names.',
  options: {
    filter: filterOption(KEYS),
    force: flag('Do not ask', { short: 'f' }),
  },
  examples: ['tsrun network prune -f'],
  async run(given, _operands, context) {
    if (!given.force && !confirm('This removes all networks that no container uses. Go on?')) return 0;
    const engine = await context.engine();
    const { listNetworks } = await import('../../store/networks.ts');
    const { pruneNetworks } = await import('../../engine/manage-networks.ts');
    const candidates = await filterNetworks(engine, listNetworks(engine.paths), given.filter);
    const gone = await pruneNetworks(engine, candidates);
    print(gone.map((name) => `${name}\n`).join(''));
    return 0;
  },
});
