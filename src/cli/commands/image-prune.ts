import { isImageUsed } from '../../store/image-mounted.ts';
import { isDangling } from '../../store/image-record.ts';
import { defineCommand } from '../command.ts';
import { confirm } from '../confirm.ts';
import { freeSpace, printRemoved } from '../free-space.ts';
import { selectImages } from '../image-filter.ts';
import { filterOption } from '../options/filter-option.ts';
import { flag } from '../options/option.ts';

const KEYS = ['label', 'label!', 'until', 'dangling'] as const;

export const IMAGE_PRUNE = defineCommand({
  usage: '',
  operands: [0, 0],
  text: 'Removes images that have no name and that no container is made from; with --all those with a name, too.',
  options: {
    all: flag('Also images with a name, if no container is made from them', { short: 'a' }),
    filter: filterOption(KEYS),
    force: flag('Do not ask', { short: 'f' }),
  },
  unsupported: {
    'build-cache': 'there is no build cache',
    external: 'there are no containers of other engines in the store',
  },
  examples: ['tsrun image prune -f', 'tsrun image prune -a --filter until=240h'],
  async run(given, _operands, context) {
    const all = given.all || given.filter.some(({ key, value }) => key === 'dangling' && value === 'false');
    const what = all ? 'all images' : 'all images without a name';
    if (!given.force && !confirm(`This removes ${what} that no container is made from. Go on?`)) return 0;
    const engine = await context.engine();
    const wanted = new Map(
      selectImages(engine, given.filter)
        .filter(({ record }) => all || isDangling(record))
        .map(({ record }) => [record.imageId, record]),
    );
    for (const record of wanted.values()) {
      if (isImageUsed(engine.paths, record)) continue;
      printRemoved(engine.images.remove(record), record.imageId);
    }
    await freeSpace(engine);
    return 0;
  },
});
