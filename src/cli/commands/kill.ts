import type { ContainerView } from '../../engine/container-view.ts';
import type { Engine } from '../../engine/open-engine.ts';
import { parseSignal } from '../../launch/signals.ts';
import { defineCommand } from '../command.ts';
import { value } from '../options/option.ts';
import { print } from '../output.ts';
import {
  ALL_OPTION,
  CIDFILE_OPTION,
  forEach,
  LATEST_OPTION,
  selectContainers,
} from '../select-containers.ts';

const SIGKILL = 9;

async function unpause(engine: Engine, view: ContainerView): Promise<void> {
  const { unpauseContainer } = await import('../../engine/pause-container.ts');
  await unpauseContainer(engine, view);
}

export const KILL = defineCommand({
  usage: '[CONTAINER…]',
  operands: [0, Number.POSITIVE_INFINITY],
  text: "Sends a signal to a container's first process.",
  options: {
    ...ALL_OPTION,
    ...LATEST_OPTION,
    ...CIDFILE_OPTION,
    signal: value('SIGNAL', 'Which one, by name or number', parseSignal, { short: 's', default: 'KILL' }),
  },
  examples: ['tsrun kill -s HUP web'],
  async run(given, names, context) {
    const engine = await context.engine();
    const { signalContainer } = await import('../../engine/signal-container.ts');
    const { logContainerEvent } = await import('../../engine/container-events.ts');
    const { announceEnd } = await import('../../engine/signal-supervisor.ts');
    const { waitContainer } = await import('../../engine/wait-container.ts');
    const found = await selectContainers(engine, names, given);
    const number = given.signal ?? SIGKILL;
    return await forEach(found, context.debug, async (find) => {
      const view = find();
      const { phase } = view.state;
      if (given.all && phase !== 'running' && phase !== 'restarting') return;
      // A signal that is meant to end the container ends it for good, whatever its restart policy.
      const ends = number === SIGKILL || number === view.record.stopSignal;
      if (ends) announceEnd(view);
      if (phase !== 'restarting') signalContainer(engine, view, number);
      logContainerEvent(engine, view.record, 'kill', { signal: String(number) });
      // Held processes hear of no signal but this one.
      if (ends && number !== SIGKILL && phase === 'paused') await unpause(engine, view);
      // A killed container is gone when the command returns, so that the next one can rely on it.
      if (number === SIGKILL) await waitContainer(engine, view, { timeoutMs: 10_000, end: 'for-good' });
      print(`${view.name}\n`);
    });
  },
});
