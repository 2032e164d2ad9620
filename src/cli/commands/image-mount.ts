import { digestHex } from '../../spec/digest.ts';
import type { ImageRecord } from '../../store/image-record.ts';
import { defineCommand } from '../command.ts';
import { flag } from '../options/option.ts';
import { usageError } from '../parse/usage.ts';
import { MOUNT_FORMAT, type Mounted, printMounts } from '../print-mounts.ts';
import { forEach } from '../select-containers.ts';

export const IMAGE_MOUNT = defineCommand({
  usage: '[IMAGE…]',
  operands: [0, Number.POSITIVE_INFINITY],
  text: 'Mounts images, to be looked at, and prints where; without IMAGE lists what is mounted. Only in `tsrun unshare`; with the end of its shell, and of the containers that ran before it, the mounts are gone.',
  options: { all: flag('All images', { short: 'a' }), ...MOUNT_FORMAT },
  examples: ['tsrun image mount httpd', 'tsrun image mount --format json'],
  async run(given, names, context) {
    if (given.all && names.length > 0) throw usageError('--all and a name contradict each other');
    const { mountImage, selectImages } = await import('../../engine/mount-image.ts');
    const { mountedIn, requireInside } = await import('../../engine/mount-tree.ts');
    const { ImageStore } = await import('../../store/images.ts');
    requireInside('tsrun image mount', given.all ? ['-a'] : names, names.length === 1);
    const paths = { root: context.storeRoot(), runtime: '' };
    const images = new ImageStore(paths);
    const row = (record: ImageRecord, place: string): Mounted => ({
      id: digestHex(record.imageId),
      label: record.reference,
      names: {
        Names: [record.digest],
        Repositories: images.namesOf(record).map(({ reference }) => reference),
      },
      place,
    });
    if (names.length === 0 && !given.all) {
      const { lookedAt } = await import('../../store/paths.ts');
      const mounted = mountedIn(paths);
      const rows = images.list().map((record) => row(record, lookedAt(paths, record.imageId)));
      printMounts(
        rows.filter(({ place }) => mounted.has(place)),
        { format: given.format, isBare: false },
      );
      return 0;
    }
    const rows: Mounted[] = [];
    const status = await forEach(selectImages(images, names, given.all), context.debug, (find) => {
      const record = find();
      rows.push(row(record, mountImage(paths, record)));
    });
    printMounts(rows, { format: given.format, isBare: names.length === 1 });
    return status;
  },
});
