import { defineCommand } from '../command.ts';
import { exitCode } from '../exit-status.ts';
import { print } from '../output.ts';
import { forEach, LATEST_OPTION, selectContainers } from '../select-containers.ts';

export const WAIT = defineCommand({
  usage: '[CONTAINER…]',
  operands: [0, Number.POSITIVE_INFINITY],
  text: 'Waits until containers have ended, and prints their exit status, one on each line.',
  options: LATEST_OPTION,
  examples: ['tsrun wait web'],
  async run(given, names, context) {
    const engine = await context.engine();
    const { waitContainer } = await import('../../engine/wait-container.ts');
    return await forEach(await selectContainers(engine, names, given), context.debug, async (find) => {
      const view = find();
      const status = await waitContainer(engine, view);
      print(`${exitCode(status ?? { kind: 'unknown' }, view.name)}\n`);
    });
  },
});
