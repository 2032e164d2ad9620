import { parseSignal } from '../../launch/signals.ts';
import { defineCommand } from '../command.ts';
import { flag, value } from '../options/option.ts';
import { print, say } from '../output.ts';
import { forEach, SELECTION_OPTIONS, selectContainers } from '../select-containers.ts';
import { STOP_TIME_OPTION } from './stop.ts';

export const RESTART = defineCommand({
  usage: '[CONTAINER…]',
  operands: [0, Number.POSITIVE_INFINITY],
  text:
    'Stops containers, as `tsrun stop` does, and starts them again; one that does not run is started. What `tsrun run --rm` made is not ' +
    'removed in between.',
  options: {
    ...SELECTION_OPTIONS,
    ...STOP_TIME_OPTION,
    running: flag('Of all containers, those that run'),
    signal: value('SIGNAL', 'What to stop them with', parseSignal, {
      short: 's',
      default: "the container's --stop-signal",
    }),
  },
  examples: ['tsrun restart web', 'tsrun restart -t 0 web'],
  async run(given, names, context) {
    const engine = await context.engine();
    const { restartContainer } = await import('../../engine/restart-container.ts');
    const selected = await selectContainers(engine, names, { ...given, all: given.all || given.running });
    const chosen = given.running
      ? selected.filter((find) => !['created', 'exited'].includes(find().state.phase))
      : selected;
    const restarting = chosen.map(async (find) => {
      const view = find();
      return { view, stopped: await restartContainer(engine, view, given.time, given.signal) };
    });
    await Promise.allSettled(restarting);
    return await forEach(restarting, context.debug, async (one) => {
      const { view, stopped } = await one;
      const seconds = given.time ?? view.record.stopTimeout;
      if (stopped.killed && seconds > 0) {
        say(`tsrun: ${view.name} did not end within ${seconds} s of its stop signal, and was killed\n`);
      }
      print(`${view.name}\n`);
    });
  },
});
