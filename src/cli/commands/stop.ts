import type { ContainerView } from '../../engine/container-view.ts';
import { defineCommand } from '../command.ts';
import { flag, value } from '../options/option.ts';
import { print, say } from '../output.ts';
import { wholeNumber } from '../parse/words-of-choice.ts';
import { forEach, isUnknownContainer, SELECTION_OPTIONS, selectContainers } from '../select-containers.ts';

export const STOP_TIME_OPTION = {
  time: value('SECONDS', 'How long to wait before it is killed; -1 is for ever', wholeNumber('--time', -1), {
    short: 't',
    aliases: ['timeout'],
    default: "the container's --stop-timeout",
  }),
};

function unlessIgnored(find: () => ContainerView, ignore: boolean): ContainerView | undefined {
  try {
    return find();
  } catch (error) {
    if (ignore && isUnknownContainer(error)) return undefined;
    throw error;
  }
}

export const STOP = defineCommand({
  usage: '[CONTAINER…]',
  operands: [0, Number.POSITIVE_INFINITY],
  text: "Sends a container's stop signal (SIGTERM, unless its image or --stop-signal says otherwise), and kills it if it has not ended in time.",
  options: {
    ...SELECTION_OPTIONS,
    ...STOP_TIME_OPTION,
    ignore: flag('A container that is not there is no error', { short: 'i' }),
  },
  examples: ['tsrun stop web', 'tsrun stop -t 0 web'],
  async run(given, names, context) {
    const engine = await context.engine();
    const { stopContainer } = await import('../../engine/stop-container.ts');
    const selected = await selectContainers(engine, names, given);
    // All at once: ten containers that need their ten seconds are stopped in ten seconds.
    const stopping = selected.map(async (find) => {
      const view = unlessIgnored(find, given.ignore);
      return view && { view, stopped: await stopContainer(engine, view, given.time) };
    });
    await Promise.allSettled(stopping);
    return await forEach(stopping, context.debug, async (one) => {
      const done = await one;
      if (!done) return;
      const { view, stopped } = done;
      const seconds = given.time ?? view.record.stopTimeout;
      if (stopped.killed && seconds > 0) {
        say(`tsrun: ${view.name} did not end within ${seconds} s of its stop signal, and was killed\n`);
      }
      print(`${view.name}\n`);
    });
  },
});
