import type { ContainerView } from '../../engine/container-view.ts';
import type { Engine } from '../../engine/open-engine.ts';
import type { PruneChoice } from '../../engine/prune.ts';
import { defineCommand } from '../command.ts';
import { confirm } from '../confirm.ts';
import { humanSize } from '../format/human.ts';
import { selectImages } from '../image-filter.ts';
import { filterOption } from '../options/filter-option.ts';
import { flag, type Values } from '../options/option.ts';
import { print, say } from '../output.ts';
import { type Filter, labelMatches, matchesFilters } from '../parse/filter.ts';
import { parseMoment } from '../parse/time.ts';

const KEYS = ['label', 'label!', 'until'] as const;

const OPTIONS = {
  all: flag('Also images with a name, if no container is made from them', { short: 'a' }),
  filter: filterOption(KEYS, {
    example: '--filter until=24h',
  }),
  force: flag('Do not ask', { short: 'f' }),
  volumes: flag('Also anonymous volumes, if no container uses them'),
};

/** Whether the filters hold for a thing with these labels, made at that time (RFC 3339). */
function holds(filters: readonly Filter[], labels: Record<string, string>, created: string): boolean {
  const test = ({ key, value }: Filter): boolean => {
    if (key === 'label') return labelMatches(labels, value);
    if (key === 'label!') return !labelMatches(labels, value);
    return Date.parse(created) < Date.parse(parseMoment(value, '--filter until=', Date.now()));
  };
  return matchesFilters(filters, test, ['label', 'label!']);
}

function choiceOf(engine: Engine, { all, volumes, filter }: Values<typeof OPTIONS>): PruneChoice {
  const images = new Set(selectImages(engine, filter).map(({ record }) => record.imageId));
  return {
    all,
    volumes,
    container: ({ record }: ContainerView) => holds(filter, record.labels, record.createdAt),
    image: ({ imageId }) => images.has(imageId),
    volume: ({ labels, createdAt }) => holds(filter, labels, createdAt),
  };
}

const section = (title: string, names: readonly string[]): string =>
  names.length === 0 ? '' : `${title}\n${names.map((name) => `${name}\n`).join('')}`;

function question({ all, volumes }: Values<typeof OPTIONS>): string {
  const what = [
    'containers that do not run',
    `images ${all ? '' : 'without a name '}that no container is made from`,
    ...(volumes ? ['anonymous volumes that no container uses'] : []),
    'downloads that were given up',
  ];
  return `This removes all\n${what.map((line) => `  - ${line}\n`).join('')}Go on?`;
}

export const SYSTEM_PRUNE = defineCommand({
  usage: '',
  operands: [0, 0],
  text: 'Removes containers that do not run, images that have no name and no containers, and what is left of them in the store.',
  options: OPTIONS,
  unsupported: {
    build: 'there is no build cache',
    external: 'there are no containers of other engines in the store',
  },
  examples: ['tsrun system prune -f', 'tsrun system prune -a --volumes --filter until=24h'],
  async run(given, _operands, context) {
    if (!given.force && !confirm(question(given))) return 0;
    const engine = await context.engine();
    const { prune } = await import('../../engine/prune.ts');
    const gone = await prune(engine, choiceOf(engine, given));
    for (const id of gone.damaged) {
      const short = id.slice(0, 12);
      say(
        `tsrun: warning: the record of container ${short} is damaged: it and all layers were left alone; tsrun system check --repair\n`,
      );
    }
    print(
      [
        section('Deleted Containers', gone.containers),
        section('Deleted Volumes', gone.volumes),
        section('Deleted Images', gone.images),
        `Total reclaimed space: ${humanSize(gone.reclaimed)}\n`,
      ].join(''),
    );
    return 0;
  },
});
