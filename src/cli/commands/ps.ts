import type { ContainerView } from '../../engine/container-view.ts';
import type { Engine } from '../../engine/open-engine.ts';
import { defineCommand } from '../command.ts';
import { formatList } from '../format/list.ts';
import { filterOption } from '../options/filter-option.ts';
import { asWritten, flag, type Values, value } from '../options/option.ts';
import { print, say } from '../output.ts';
import { usageError } from '../parse/usage.ts';
import { oneOf, wholeNumber } from '../parse/words-of-choice.ts';
import { psFilter } from '../ps-filter.ts';
import { NO_PS_FILTERS, PS_FILTERS } from '../ps-filter-keys.ts';
import { PS_HEADINGS, psRow } from '../ps-row.ts';

const SORT_KEYS = ['command', 'created', 'id', 'image', 'names', 'runningfor', 'status'] as const;

const OPTIONS = {
  all: flag('Those that do not run, too', { short: 'a' }),
  filter: filterOption(PS_FILTERS, {
    short: 'f',
    example: '--filter status=exited',
    unsupported: NO_PS_FILTERS,
  }),
  format: value('FORMAT', 'table, json (one object on each line), or a Go template', asWritten, {
    example: `--format '{{.Names}}: {{.Status}}'`,
  }),
  last: value('N', 'The N that were made last, whatever they do', wholeNumber('--last', -1), { short: 'n' }),
  latest: flag('The one that was made last, whatever it does', { short: 'l' }),
  'no-trunc': flag('Print ids and commands in full'),
  noheading: flag('Leave the line with the headings out'),
  quiet: flag('Print only ids', { short: 'q' }),
  size: flag('Print how much each has written', { short: 's' }),
  sort: value('KEY', `Order: ${SORT_KEYS.join(', ')}`, oneOf('--sort', SORT_KEYS), {
    default: 'created, the newest first',
  }),
};

type Given = Values<typeof OPTIONS>;

const LIVING = new Set(['running', 'paused', 'stopping', 'restarting']);

async function select(engine: Engine, given: Given): Promise<ContainerView[]> {
  const { listContainers } = await import('../../engine/container-view.ts');
  const { containers, damaged } = listContainers(engine);
  for (const id of damaged)
    say(
      `tsrun: warning: the record of container ${id.slice(0, 12)} is damaged; tsrun rm -f ${id.slice(0, 12)}\n`,
    );
  const last = given.latest ? 1 : given.last;
  const asksForOthers = given.filter.some(({ key }) => key === 'status' || key === 'exited');
  const all = given.all || asksForOthers || (last !== undefined && last >= 0);
  const shown = containers.filter(({ state }) => all || LIVING.has(state.phase));
  const matching = given.filter.length === 0 ? shown : shown.filter(psFilter(engine, given.filter));
  return last === undefined || last < 0 ? matching : matching.slice(0, last);
}

async function sizes(engine: Engine, views: readonly ContainerView[]): Promise<Map<string, string>> {
  const { containerSizes } = await import('../container-sizes.ts');
  return containerSizes(engine, views);
}

/** The text that --sort compares. */
const SORT_TEXT: Record<(typeof SORT_KEYS)[number], (view: ContainerView) => string> = {
  command: ({ record }) => record.command.join(' '),
  created: ({ record }) => record.createdAt,
  id: ({ id }) => id,
  image: ({ record }) => record.image,
  names: ({ name }) => name,
  runningfor: ({ state }) => state.startedAt ?? '',
  status: ({ state }) => state.phase,
};

function sorted(views: ContainerView[], key: (typeof SORT_KEYS)[number] | undefined): ContainerView[] {
  if (key === undefined) return views;
  const text = SORT_TEXT[key];
  return views.toSorted((a, b) => (text(a) < text(b) ? -1 : text(a) > text(b) ? 1 : 0));
}

export const PS = defineCommand({
  usage: '',
  operands: [0, 0],
  text: 'Lists the containers that run; with -a all of them.',
  options: OPTIONS,
  unsupported: {
    external: '',
    namespace: '',
    ns: 'tsrun inspect NAME',
    pod: 'there are no pods yet',
    sync: 'the state is read anew each time',
    watch: 'watch tsrun ps',
  },
  examples: ['tsrun ps -a', `tsrun ps --format '{{.Names}}\\t{{.Ports}}'`],
  async run(given, _operands, context) {
    if (given.quiet && given.format !== undefined)
      throw usageError('--quiet and --format contradict each other');
    const engine = await context.engine();
    const views = sorted(await select(engine, given), given.sort);
    if (given.quiet) {
      print(views.map(({ id }) => `${given['no-trunc'] ? id : id.slice(0, 12)}\n`).join(''));
      return 0;
    }
    const size = given.size ? await sizes(engine, views) : undefined;
    const now = Date.now();
    const rows = views.map((view) =>
      psRow(view, { noTrunc: given['no-trunc'], now, size: size?.get(view.id) }),
    );
    const columns = [
      'ID',
      'Image',
      'Command',
      'RunningFor',
      'Status',
      'Ports',
      'Names',
      ...(size ? ['Size'] : []),
    ];
    print(
      formatList(rows, { format: given.format, columns, headings: PS_HEADINGS, noHeading: given.noheading }),
    );
    return 0;
  },
});
