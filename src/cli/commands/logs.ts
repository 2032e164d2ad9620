import type { ContainerView } from '../../engine/container-view.ts';
import type { Engine } from '../../engine/open-engine.ts';
import { defineCommand } from '../command.ts';
import { LogPrinter } from '../log-printer.ts';
import { flag, type Values, value } from '../options/option.ts';
import { parseMoment } from '../parse/time.ts';
import { wholeNumber } from '../parse/words-of-choice.ts';
import { forEach, LATEST_OPTION, selectContainers } from '../select-containers.ts';

const moment = (option: string) => (text: string) => parseMoment(text, option, Date.now());
const lineCount = wholeNumber('--tail', -1);

const OPTIONS = {
  ...LATEST_OPTION,
  follow: flag('Go on with what is written from now on, until the container ends', { short: 'f' }),
  names: flag('Begin each line with the name of its container'),
  since: value('TIME', 'Only what was written since then', moment('--since'), { example: '--since 10m' }),
  tail: value('N', 'Only the last N lines', (text) => (text === 'all' ? -1 : lineCount(text)), {
    short: 'n',
    default: 'all',
  }),
  timestamps: flag('Begin each line with its time', { short: 't' }),
  until: value('TIME', 'Only what was written until then', moment('--until')),
};

type Given = Values<typeof OPTIONS>;

/** @param several lines of several containers begin with whose they are */
async function printLog(engine: Engine, view: ContainerView, given: Given, several: boolean): Promise<void> {
  const { readLogs } = await import('../../engine/logs.ts');
  const { follow, since, until, tail, timestamps } = given;
  using printer = new LogPrinter({ timestamps, prefix: prefixOf(view, given.names, several) });
  const lines = tail === undefined || tail < 0 ? undefined : tail;
  for await (const record of readLogs(engine, view, { follow, since, until, tail: lines }))
    printer.print(record);
}

function prefixOf({ id, name }: ContainerView, names: boolean, several: boolean): string {
  if (names) return `${name} `;
  return several ? `${id.slice(0, 12)} ` : '';
}

export const LOGS = defineCommand({
  usage: '[CONTAINER…]',
  operands: [0, Number.POSITIVE_INFINITY],
  text: 'Prints what containers have written: their stdout to stdout, their stderr to stderr; of several, each line begins with its container.',
  options: OPTIONS,
  unsupported: { color: '', details: '' },
  examples: ['tsrun logs -f web', 'tsrun logs --since 10m --tail 100 web'],
  async run(given, names, context) {
    const engine = await context.engine();
    const selected = await selectContainers(engine, names, given);
    const several = selected.length > 1;
    const print = (find: () => ContainerView) => printLog(engine, find(), given, several);
    const running = given.follow ? selected.map((find) => async () => print(find)) : [];
    // Followed logs are read side by side, others one after the other.
    const printing = running.map((start) => start());
    await Promise.allSettled(printing);
    return given.follow
      ? await forEach(printing, context.debug, (one) => one)
      : await forEach(selected, context.debug, print);
  },
});
