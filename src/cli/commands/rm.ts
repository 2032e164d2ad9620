import { TsrunError } from '../../errors.ts';
import { defineCommand } from '../command.ts';
import { flag } from '../options/option.ts';
import { print } from '../output.ts';
import { ALL_OPTION, forEach, LATEST_OPTION, selectContainers } from '../select-containers.ts';

export const RM = defineCommand({
  usage: '[CONTAINER…]',
  operands: [0, Number.POSITIVE_INFINITY],
  text: 'Removes containers and what they have written. Named volumes stay.',
  options: {
    ...ALL_OPTION,
    ...LATEST_OPTION,
    force: flag('Kill those that run; one that is not there is no error', { short: 'f' }),
    volumes: flag('Remove their anonymous volumes too', { short: 'v' }),
  },
  examples: ['tsrun rm -f web'],
  async run(given, names, context) {
    const engine = await context.engine();
    const { removeContainer } = await import('../../engine/remove-container.ts');
    const selected = await selectContainers(engine, names, given);
    return await forEach(selected, context.debug, async (find) => {
      try {
        const view = find();
        await removeContainer(engine, view, { force: given.force, volumes: given.volumes });
        print(`${view.name}\n`);
      } catch (error) {
        const isAbsent = error instanceof TsrunError && error.code === 'ERR_TSRUN_CONTAINER_UNKNOWN';
        if (!(given.force && isAbsent)) throw error;
      }
    });
  },
});
