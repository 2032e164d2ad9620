import { defineCommand } from '../command.ts';
import { confirm } from '../confirm.ts';
import { filterOption } from '../options/filter-option.ts';
import { flag } from '../options/option.ts';
import { print } from '../output.ts';
import { forEach } from '../select-containers.ts';

const KEYS = [
  'label',
  'label!',
  'until',
  'name',
  'id',
  'ancestor',
  'before',
  'since',
  'exited',
  'volume',
  'network',
] as const;

export const CONTAINER_PRUNE = defineCommand({
  usage: '',
  operands: [0, 0],
  text: 'Removes all containers that do not run, and prints their ids.',
  options: {
    filter: filterOption(KEYS, {
      example: '--filter until=24h',
    }),
    force: flag('Do not ask', { short: 'f' }),
  },
  examples: ['tsrun container prune -f'],
  async run(given, _operands, context) {
    if (
      !given.force &&
      !confirm('This removes all containers that do not run, with what they have written. Go on?')
    )
      return 0;
    const engine = await context.engine();
    const { listContainers } = await import('../../engine/container-view.ts');
    const { removeContainer } = await import('../../engine/remove-container.ts');
    const { psFilter } = await import('../ps-filter.ts');
    const holds = psFilter(engine, given.filter);
    const ended = listContainers(engine).containers.filter(
      (view) => (view.state.phase === 'created' || view.state.phase === 'exited') && holds(view),
    );
    return await forEach(ended, context.debug, async (view) => {
      if (await removeContainer(engine, view, { force: false, volumes: false, unlessActive: true }))
        print(`${view.id}\n`);
    });
  },
});
