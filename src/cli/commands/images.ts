import { defineCommand } from '../command.ts';
import { formatList } from '../format/list.ts';
import { IMAGE_FILTERS, selectImages } from '../image-filter.ts';
import { IMAGE_HEADINGS, imageRow, imageUses, type ListedImage, splitReference } from '../image-row.ts';
import { filterOption } from '../options/filter-option.ts';
import { asWritten, flag, value } from '../options/option.ts';
import { print } from '../output.ts';
import { usageError } from '../parse/usage.ts';
import { oneOf } from '../parse/words-of-choice.ts';

/** Keys of --sort. As podman's: texts in the order of their letters, sizes the smallest and times the newest first. */
const ORDERS: Readonly<Record<string, (a: ListedImage, b: ListedImage) => number>> = {
  created: () => 0, // as they come
  id: by(({ record }) => record.imageId),
  repository: by(({ record }) => splitReference(record).repository),
  tag: by(({ record }) => splitReference(record).tag),
  size: (a, b) => a.size - b.size,
};

function by(text: (image: ListedImage) => string): (a: ListedImage, b: ListedImage) => number {
  return (a, b) => (text(a) < text(b) ? -1 : text(a) > text(b) ? 1 : 0);
}

export const IMAGES = defineCommand({
  usage: '[NAME]',
  operands: [0, 1],
  text: 'Lists the images of the store, a line for each of their names; with NAME only those of that name, which may hold * and ?.',
  options: {
    all: flag('The same: there are no intermediate images', { short: 'a' }),
    digests: flag('Print the digests that registries know them by'),
    filter: filterOption(IMAGE_FILTERS, {
      short: 'f',
    }),
    format: value('FORMAT', 'table, json (one object on each line), or a Go template', asWritten, {
      example: `--format '{{.Repository}}:{{.Tag}}'`,
    }),
    'no-trunc': flag('Print ids in full'),
    noheading: flag('Leave the line with the headings out', { short: 'n' }),
    quiet: flag('Print only ids', { short: 'q' }),
    sort: value(
      'KEY',
      `Sort by ${Object.keys(ORDERS).join(', ')} (times the newest first, sizes the smallest)`,
      oneOf('--sort', Object.keys(ORDERS)),
      {
        default: 'created',
      },
    ),
  },
  unsupported: { history: 'former names are not kept', tree: 'tsrun image tree IMAGE' },
  examples: ['tsrun images', 'tsrun images -q --filter dangling=true'],
  async run(given, [name], context) {
    if (given.quiet && given.format !== undefined)
      throw usageError('--quiet and --format contradict each other');
    const engine = await context.engine();
    const filters =
      name === undefined ? given.filter : [...given.filter, { key: 'reference' as const, value: name }];
    const used = imageUses(engine);
    const images = selectImages(engine, filters);
    const noTrunc = given['no-trunc'];
    const rows = images.sort(ORDERS[given.sort ?? 'created']).map((image) =>
      imageRow(image, {
        noTrunc,
        now: Date.now(),
        containers: () => used(image.record),
        names: () => engine.images.namesOf(image.record),
      }),
    );
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
