import { defineCommand } from '../command.ts';
import { print } from '../output.ts';
import { forEach, SELECTION_OPTIONS, selectContainers } from '../select-containers.ts';

export const UNPAUSE = defineCommand({
  usage: '[CONTAINER…]',
  operands: [0, Number.POSITIVE_INFINITY],
  text: 'Lets the processes of paused containers go on.',
  options: SELECTION_OPTIONS,
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
