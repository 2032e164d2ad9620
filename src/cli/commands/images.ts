import type { Engine } from '../../engine/open-engine.ts';
import { tsrunError } from '../../errors.ts';
import { type ImageRecord, isDangling } from '../../store/image-record.ts';
import { defineCommand } from '../command.ts';
import { formatList } from '../format/list.ts';
import { IMAGE_HEADINGS, imageRow, imageSize, type ListedImage } from '../image-row.ts';
import { asWritten, flag, list, value } from '../options/option.ts';
import { print, say } from '../output.ts';
import { type Filter, labelMatches, matchesFilters, parseFilter } from '../parse/filter.ts';
import { matchesReference } from '../parse/reference-pattern.ts';
import { parseMoment } from '../parse/time.ts';
import { usageError } from '../parse/usage.ts';

const FILTER_KEYS = ['dangling', 'reference', 'label', 'before', 'since', 'until'];

/** The image with what the list says of it; damaged ones are listed too, so that they can be removed. */
function look(engine: Engine, record: ImageRecord): ListedImage {
  try {
    const { created, config } = engine.images.config(record);
    return { record, created, size: imageSize(engine, record), labels: config?.Labels ?? {} };
  } catch (error) {
    say(`tsrun: warning: ${(error as Error).message}\n`);
    return { record, created: undefined, size: imageSize(engine, record), labels: {} };
  }
}

type Test = (image: ListedImage) => boolean;

function createdOf(engine: Engine, name: string): string {
  const record = engine.images.resolve(name);
  if (record === undefined) throw tsrunError('ERR_TSRUN_IMAGE_NOT_LOCAL', { reference: name });
  return engine.images.config(record).created ?? '';
}

/** What one filter asks of an image. Throws ERR_TSRUN_USAGE, ERR_TSRUN_IMAGE_NOT_LOCAL. */
function testOf(engine: Engine, { key, value: wanted }: Filter): Test {
  switch (key) {
    case 'dangling':
      if (wanted !== 'true' && wanted !== 'false')
        throw usageError(`--filter dangling=${wanted}: neither true nor false`);
      return ({ record }) => isDangling(record) === (wanted === 'true');
    case 'reference':
      return ({ record }) => !isDangling(record) && matchesReference(record.reference, wanted);
    case 'label':
      return ({ labels }) => labelMatches(labels, wanted);
    case 'before': {
      const created = createdOf(engine, wanted);
      return (image) => (image.created ?? '') < created;
    }
    case 'since': {
      const created = createdOf(engine, wanted);
      return (image) => (image.created ?? '') > created;
    }
    case 'until': {
      const until = parseMoment(wanted, '--filter until', Date.now());
      return (image) => image.created !== undefined && image.created < until;
    }
    default:
      throw new TypeError(`the filter ${key} is not implemented`);
  }
}

function select(engine: Engine, filters: readonly Filter[]): ListedImage[] {
  const { images, damaged } = engine.images.survey();
  for (const { path, problem } of damaged) say(`tsrun: warning: ${path}: ${problem}\n`);
  const tests = new Map(filters.map((filter) => [filter, testOf(engine, filter)]));
  return images
    .map((record) => look(engine, record))
    .filter((image) => matchesFilters(filters, (filter) => tests.get(filter)?.(image) ?? false, ['label']))
    .sort((a, b) => ((a.created ?? '') < (b.created ?? '') ? 1 : -1));
}

export const IMAGES = defineCommand({
  usage: '[NAME]',
  operands: [0, 1],
  text: 'Lists the images of the store, a line for each of their names; with NAME only those of that name, which may hold * and ?.',
  options: {
    all: flag('The same: there are no intermediate images', { short: 'a' }),
    digests: flag('Print the digests that registries know them by'),
    filter: list(
      'KEY=VALUE',
      `Only those for which it holds; keys are ${FILTER_KEYS.join(', ')}`,
      parseFilter(FILTER_KEYS),
      {
        short: 'f',
      },
    ),
    format: value('FORMAT', 'table, json (one object on each line), or a Go template', asWritten, {
      example: `--format '{{.Repository}}:{{.Tag}}'`,
    }),
    'no-trunc': flag('Print ids in full'),
    noheading: flag('Leave the line with the headings out', { short: 'n' }),
    quiet: flag('Print only ids', { short: 'q' }),
  },
  unsupported: { history: '', sort: '', tree: '' },
  examples: ['tsrun images', 'tsrun images -q --filter dangling=true'],
  async run(given, [name], context) {
    if (given.quiet && given.format !== undefined)
      throw usageError('--quiet and --format contradict each other');
    const engine = await context.engine();
    const filters = name === undefined ? given.filter : [...given.filter, { key: 'reference', value: name }];
    const images = select(engine, filters);
    const noTrunc = given['no-trunc'];
    const rows = images.map((image) => imageRow(image, { noTrunc, now: Date.now() }));
    if (given.quiet) {
      print([...new Set(rows.map((row) => `${row.ID}\n`))].join(''));
      return 0;
    }
    const columns = ['Repository', 'Tag', ...(given.digests ? ['Digest'] : []), 'ID', 'CreatedSince', 'Size'];
    print(
      formatList(rows, {
        format: given.format,
        columns,
        headings: IMAGE_HEADINGS,
        noHeading: given.noheading,
      }),
    );
    return 0;
  },
});
