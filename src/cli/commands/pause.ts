import { defineCommand } from '../command.ts';
import { print, say } from '../output.ts';
import {
  ALL_OPTION,
  CIDFILE_OPTION,
  FILTER_OPTION,
  forEach,
  LATEST_OPTION,
  selectContainers,
} from '../select-containers.ts';

export const PAUSE = defineCommand({
  usage: '[CONTAINER…]',
  operands: [0, Number.POSITIVE_INFINITY],
  text:
    'Holds all processes of containers where they are, until `tsrun unpause`. Where the container has no cgroup that you may freeze, its ' +
    'processes are sent SIGSTOP, which their parents may notice.',
  options: { ...ALL_OPTION, ...LATEST_OPTION, ...CIDFILE_OPTION, ...FILTER_OPTION },
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
