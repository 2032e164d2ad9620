import { defineCommand } from '../command.ts';
import { flag } from '../options/option.ts';
import { print } from '../output.ts';
import { usageError } from '../parse/usage.ts';
import { forEach } from '../select-containers.ts';

export const IMAGE_MOUNT = defineCommand({
  usage: '[IMAGE…]',
  operands: [0, Number.POSITIVE_INFINITY],
  text: 'Mounts images, to be looked at, and prints where; without IMAGE lists what is mounted. Only in `tsrun unshare`; with the end of its shell, and of the containers that ran before it, the mounts are gone.',
  options: { all: flag('All images', { short: 'a' }) },
  unsupported: { format: '' },
  examples: ['tsrun image mount httpd'],
  async run(given, names, context) {
    if (given.all && names.length > 0) throw usageError('--all and a name contradict each other');
    const { mountImage, selectImages } = await import('../../engine/mount-image.ts');
    const { mountedIn, requireInside } = await import('../../engine/mount-tree.ts');
    const { ImageStore } = await import('../../store/images.ts');
    requireInside('tsrun image mount', given.all ? ['-a'] : names, names.length === 1);
    const paths = { root: context.storeRoot(), runtime: '' };
    const images = new ImageStore(paths);
    if (names.length === 0 && !given.all) {
      const { lookedAt } = await import('../../store/paths.ts');
      const mounted = mountedIn(paths);
      for (const { reference, imageId } of images.list()) {
        const place = lookedAt(paths, imageId);
        if (mounted.has(place)) print(`${reference} ${place}\n`);
      }
      return 0;
    }
    return await forEach(selectImages(images, names, given.all), context.debug, (find) => {
      const record = find();
      const place = mountImage(paths, record);
      print(names.length === 1 ? `${place}\n` : `${record.reference} ${place}\n`);
    });
  },
});
