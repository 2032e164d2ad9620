import { defineCommand } from '../command.ts';
import { confirm } from '../confirm.ts';
import { filterOption } from '../options/filter-option.ts';
import { flag } from '../options/option.ts';
import { print } from '../output.ts';
import { filterVolumes } from '../volume-filter.ts';

const KEYS = ['label', 'label!', 'name', 'until'] as const;

export const VOLUME_PRUNE = defineCommand({
  usage: '',
  operands: [0, 0],
  text: 'Removes the anonymous volumes that no container uses; with --all those with a name, too. Prints the names of what was removed.',
  options: {
    all: flag('Named volumes, too', { short: 'a' }),
    filter: filterOption(KEYS),
    force: flag('Do not ask', { short: 'f' }),
  },
  examples: ['tsrun volume prune -f'],
  async run(given, _operands, context) {
    const what = given.all ? 'all volumes' : 'all anonymous volumes';
    if (!given.force && !confirm(`This removes ${what} that no container uses, with what is in them. Go on?`))
      return 0;
    const engine = await context.engine();
    const { listVolumes } = await import('../../store/volumes.ts');
    const { pruneVolumes } = await import('../../engine/manage-volumes.ts');
    const candidates = listVolumes(engine.paths).filter(({ anonymous }) => given.all || anonymous);
    const gone = pruneVolumes(engine, await filterVolumes(engine, candidates, given.filter));
    print(gone.map((name) => `${name}\n`).join(''));
    return 0;
  },
});
