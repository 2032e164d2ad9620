import { digestHex } from '../../spec/digest.ts';
import { defineCommand } from '../command.ts';
import { flag } from '../options/option.ts';
import { print } from '../output.ts';
import { usageError } from '../parse/usage.ts';
import { forEach } from '../select-containers.ts';

export const IMAGE_UNMOUNT = defineCommand({
  usage: '[IMAGE…]',
  operands: [0, Number.POSITIVE_INFINITY],
  text: 'Unmounts images that `tsrun image mount` has mounted, and prints their ids. Only in `tsrun unshare`.',
  options: {
    all: flag('All that are mounted', { short: 'a' }),
    force: flag('Also while something in them is in use', { short: 'f' }),
  },
  examples: ['tsrun image unmount httpd'],
  async run(given, names, context) {
    if (given.all === names.length > 0) throw usageError('tsrun image unmount needs IMAGE or --all');
    const { selectImages, unmountImage } = await import('../../engine/mount-image.ts');
    const { requireInside } = await import('../../engine/mount-tree.ts');
    const { ImageStore } = await import('../../store/images.ts');
    const words = [...(given.force ? ['-f'] : []), ...(given.all ? ['-a'] : names)];
    requireInside('tsrun image unmount', words);
    const paths = { root: context.storeRoot(), runtime: '' };
    const images = new ImageStore(paths);
    return await forEach(selectImages(images, names, given.all), context.debug, (find) => {
      const record = find();
      if (unmountImage(paths, record, given.force)) print(`${digestHex(record.imageId)}\n`);
    });
  },
});
