import type { ContainerView } from '../../engine/container-view.ts';
import type { Engine } from '../../engine/open-engine.ts';
import { tsrunError } from '../../errors.ts';
import { defineCommand } from '../command.ts';
import { exitCode } from '../exit-status.ts';
import { flag, list, value } from '../options/option.ts';
import { print } from '../output.ts';
import { parseDuration } from '../parse/time.ts';
import { usageError } from '../parse/usage.ts';
import { forEach, isUnknownContainer, LATEST_OPTION, selectContainers } from '../select-containers.ts';

/** `500ms`, or a number of milliseconds. Throws ERR_TSRUN_USAGE. */
function parseInterval(text: string): number {
  const ms = parseDuration(/^\d+$/.test(text) ? `${text}ms` : text);
  if (ms !== undefined && ms >= 1) return ms;
  throw usageError(`--interval ${text}: not a time of 1ms or more`, '--interval 500ms');
}

const OPTIONS = {
  ...LATEST_OPTION,
  condition: list(
    'STATE',
    'Wait for this instead of the end: configured, created, exited, healthy, initialized, paused, removed, removing, running, stopped, stopping or unhealthy; of several the first that holds',
    (text) => text.split(','),
    { example: '--condition healthy' },
  ),
  ignore: flag('A container that is not there is no error: -1 is printed for it'),
  interval: value('TIME', 'Look at least so often; changes of files are noticed at once', parseInterval, {
    short: 'i',
    default: '100ms',
  }),
};

/** Prints the status of one that has ended; -1 while it has none, as podman does. */
async function waitFor(
  engine: Engine,
  view: ContainerView,
  conditions: readonly string[],
  lookMs: number | undefined,
): Promise<string> {
  const { removedStatus, waitContainer, waitUntil } = await import('../../engine/wait-container.ts');
  if (conditions.length === 0) {
    const status = await waitContainer(engine, view, { lookMs });
    return `${exitCode(status ?? { kind: 'unknown' }, view.name)}`;
  }
  const { conditionHolds, endsWithRemoval } = await import('../../engine/wait-conditions.ts');
  const found = await waitUntil(
    engine,
    view.id,
    (now) => {
      if (conditionHolds(conditions, now)) return { now };
      if (now || endsWithRemoval(conditions)) return now ? undefined : { now };
      throw tsrunError('ERR_TSRUN_CONTAINER_UNKNOWN', { name: view.name });
    },
    { lookMs },
  );
  const exit = found?.now ? found.now.state.exit : await removedStatus(engine, view.id);
  return exit === undefined || exit.kind === 'unknown' ? '-1' : `${exitCode(exit, view.name)}`;
}

async function checkConditions(words: readonly string[]): Promise<void> {
  const { WAIT_CONDITIONS } = await import('../../engine/wait-conditions.ts');
  const strange = words.find((word) => !WAIT_CONDITIONS.includes(word));
  if (strange !== undefined)
    throw usageError(`--condition ${strange}: not one of ${WAIT_CONDITIONS.join(', ')}`);
}

export const WAIT = defineCommand({
  usage: '[CONTAINER…]',
  operands: [0, Number.POSITIVE_INFINITY],
  text:
    'Waits until containers have ended, and prints their exit status, one on each line; with --condition until they are in one of the ' +
    'states, and -1 for one that has not ended.',
  options: OPTIONS,
  examples: ['tsrun wait web', 'tsrun wait --condition healthy web && curl localhost:8000'],
  async run(given, names, context) {
    const conditions = given.condition.flat();
    await checkConditions(conditions);
    const engine = await context.engine();
    return await forEach(await selectContainers(engine, names, given), context.debug, async (find) => {
      try {
        print(`${await waitFor(engine, find(), conditions, given.interval)}\n`);
      } catch (error) {
        if (!given.ignore || !isUnknownContainer(error)) throw error;
        print('-1\n');
      }
    });
  },
});
