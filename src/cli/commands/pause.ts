import { defineCommand } from '../command.ts';
import { print, say } from '../output.ts';
import { forEach, SELECTION_OPTIONS, selectContainers } from '../select-containers.ts';

export const PAUSE = defineCommand({
  usage: '[CONTAINER…]',
  operands: [0, Number.POSITIVE_INFINITY],
  text:
    'Holds all processes of containers where they are, until `tsrun unpause`. Where the container has no cgroup that you may freeze, its ' +
    'processes are sent SIGSTOP, which their parents may notice.',
  options: SELECTION_OPTIONS,
  examples: ['tsrun pause web'],
  async run(given, names, context) {
    const engine = await context.engine();
    const { pauseContainer } = await import('../../engine/pause-container.ts');
    const selected = await selectContainers(engine, names, given);
    let noted = false;
    return await forEach(selected, context.debug, async (find) => {
      const view = find();
      if (given.all && view.state.phase !== 'running') return;
      if ((await pauseContainer(engine, view)) === 'signals' && !noted) {
        noted = true;
        say('tsrun: there is no cgroup that you may freeze: the processes were sent SIGSTOP\n');
      }
      print(`${view.name}\n`);
    });
  },
});
