import { defineCommand } from '../command.ts';
import { print } from '../output.ts';
import {
  ALL_OPTION,
  CIDFILE_OPTION,
  FILTER_OPTION,
  forEach,
  LATEST_OPTION,
  selectContainers,
} from '../select-containers.ts';

export const UNPAUSE = defineCommand({
  usage: '[CONTAINER…]',
  operands: [0, Number.POSITIVE_INFINITY],
  text: 'Lets the processes of paused containers go on.',
  options: { ...ALL_OPTION, ...LATEST_OPTION, ...CIDFILE_OPTION, ...FILTER_OPTION },
  examples: ['tsrun unpause web'],
  async run(given, names, context) {
    const engine = await context.engine();
    const { unpauseContainer } = await import('../../engine/pause-container.ts');
    const selected = await selectContainers(engine, names, given);
    return await forEach(selected, context.debug, async (find) => {
      const view = find();
      if (given.all && view.state.phase !== 'paused') return;
      await unpauseContainer(engine, view);
      print(`${view.name}\n`);
    });
  },
});
