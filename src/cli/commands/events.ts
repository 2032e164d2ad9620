import type { StoredEvent } from '../../store/event-log.ts';
import { defineCommand } from '../command.ts';
import { EVENT_FILTERS, eventFilter } from '../event-filter.ts';
import { eventJson, eventRow, eventText } from '../event-row.ts';
import { rowFormatter } from '../format/list.ts';
import { filterOption } from '../options/filter-option.ts';
import { asWritten, flag, value } from '../options/option.ts';
import { print } from '../output.ts';
import { parseMoment } from '../parse/time.ts';

const OPTIONS = {
  filter: filterOption(EVENT_FILTERS, { short: 'f', example: '--filter event=died' }),
  format: value('FORMAT', 'json (one object on each line), or a Go template', asWritten, {
    example: `--format '{{.Status}} {{.Name}}'`,
  }),
  since: value(
    'TIME',
    'Begin with those that happened since then, instead of those to come',
    (text) => parseMoment(text, '--since', Date.now()),
    { example: '--since 10m' },
  ),
  'no-stream': flag('Print what is known, and end: --stream=false'),
  'no-trunc': flag('Print ids in full', { default: true }),
  stream: flag('Go on with what happens', { default: true }),
  until: value(
    'TIME',
    'End then; `10s` is in ten seconds',
    (text) => parseMoment(text, '--until', Date.now(), 'ahead'),
    { example: '--until 10s' },
  ),
};

const formatterOf = (format: string | undefined, isFull: boolean): ((event: StoredEvent) => string) => {
  if (format === undefined) return (event) => eventText(event, isFull);
  if (format === 'json') return eventJson;
  const formatRow = rowFormatter(format);
  return (event) => formatRow(eventRow(event));
};

export const EVENTS = defineCommand({
  usage: '',
  operands: [0, 0],
  text:
    'Prints what happens to containers, images, volumes and networks, as it happens: from the log that each command and each ' +
    "container's supervisor adds to. The log keeps the newest megabyte or two.",
  options: OPTIONS,
  examples: [
    'tsrun events --since 1h --no-stream',
    'tsrun events --filter event=died --format json',
    `tsrun events --filter container=web --format '{{.Time}} {{.Status}} {{.ContainerExitCode}}'`,
  ],
  async run(given, _operands, context) {
    const isWanted = eventFilter(given.filter);
    const text = formatterOf(given.format, given['no-trunc']);
    const engine = await context.engine();
    const { readEvents } = await import('../../engine/events.ts');
    const { since, until } = given;
    const follow = given.stream && !given['no-stream'];
    for await (const event of readEvents(engine, { since, until, follow }))
      if (isWanted(event)) print(`${text(event)}\n`);
    return 0;
  },
});
