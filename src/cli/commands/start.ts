import type { ContainerView } from '../../engine/container-view.ts';
import type { Engine } from '../../engine/open-engine.ts';
import { NO_STREAMS } from '../../supervisor/messages.ts';
import { attachRunning } from '../attach/attach-running.ts';
import { Foreground } from '../attach/foreground.ts';
import { defineCommand } from '../command.ts';
import { endStatus } from '../end-status.ts';
import { noteLinger } from '../linger-note.ts';
import { RUN_OPTIONS } from '../options/create-options.ts';
import { flag, type Values, withoutShort } from '../options/option.ts';
import { print } from '../output.ts';
import { usageError } from '../parse/usage.ts';
import { ALL_OPTION, FILTER_OPTION, forEach, LATEST_OPTION, selectContainers } from '../select-containers.ts';

const OPTIONS = {
  ...LATEST_OPTION,
  ...ALL_OPTION,
  ...FILTER_OPTION,
  attach: flag('Attach stdout and stderr, pass on signals, and end with its exit status'),
  'detach-keys': RUN_OPTIONS['detach-keys'],
  interactive: flag('Attach stdin too', { short: 'i' }),
  sdnotify: { ...RUN_OPTIONS.sdnotify, default: "the container's" },
  'sig-proxy': RUN_OPTIONS['sig-proxy'],
};

async function startAttached(
  engine: Engine,
  { record }: ContainerView,
  given: Pick<Values<typeof OPTIONS>, 'interactive' | 'sig-proxy' | 'detach-keys' | 'sdnotify'>,
): Promise<number> {
  const { startUnlessRunning } = await import('../../engine/start-container.ts');
  const relayed = record.logDriver !== 'passthrough';
  const streams = {
    stdin: relayed && given.interactive && record.openStdin,
    stdout: relayed,
    stderr: relayed,
  };
  using foreground = await Foreground.open({
    streams,
    tty: record.tty,
    detachKeys: given['detach-keys'],
    sigProxy: given['sig-proxy'],
  });
  const size = foreground.windowSize;
  const windowSize = size && { height: size.rows, width: size.columns };
  const started = await startUnlessRunning(engine, record, {
    attach: streams,
    windowSize,
    sdnotify: given.sdnotify,
  });
  if (started)
    return await endStatus(engine, record, await foreground.relay(started.client, started.pid, record.name));
  const { viewContainer } = await import('../../engine/container-view.ts');
  return await attachRunning(engine, viewContainer(engine, record), streams, foreground);
}

export const START = defineCommand({
  usage: '[CONTAINER…]',
  operands: [0, Number.POSITIVE_INFINITY],
  text: 'Starts containers made by `tsrun create`, or that have ended, again. One that runs already is left as it is; with -a it is attached to.',
  options: { ...OPTIONS, attach: { ...OPTIONS.attach, short: 'a' }, all: withoutShort(OPTIONS.all) },
  examples: ['tsrun start web', 'tsrun start -ai shell', 'tsrun start --filter restart-policy=always'],
  async run(given, names, context) {
    const engine = await context.engine();
    const { startUnlessRunning } = await import('../../engine/start-container.ts');
    const selected = await selectContainers(engine, names, given);
    const attached = given.attach || given.interactive;
    if (attached && (selected.length !== 1 || given.filter.length > 0))
      throw usageError('only one container can be attached at a time');
    if (attached) return selected[0] ? await startAttached(engine, selected[0](), given) : 0;
    let isLeft = false;
    const status = await forEach(selected, context.debug, async (find) => {
      const { record, name } = find();
      const started = await startUnlessRunning(engine, record, {
        attach: NO_STREAMS,
        sdnotify: given.sdnotify,
      });
      started?.client.close();
      isLeft ||= started !== undefined;
      print(`${name}\n`);
    });
    if (isLeft) noteLinger(engine);
    return status;
  },
});
