import { tsrunError } from '../../errors.ts';
import { defineCommand } from '../command.ts';
import { flag } from '../options/option.ts';
import { print } from '../output.ts';
import { usageError } from '../parse/usage.ts';

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
    const { unmountImage } = await import('../../engine/mount-image.ts');
    const { mountpointOf, requireInside } = await import('../../engine/mount-tree.ts');
    const { ImageStore } = await import('../../store/images.ts');
    requireInside('tsrun image unmount', `tsrun unshare ${['tsrun image unmount', ...names].join(' ')}`);
    const paths = { root: context.storeRoot(), runtime: '' };
    const images = new ImageStore(paths);
    const records = given.all
      ? images.list().filter((record) => mountpointOf(paths, record.imageId) !== undefined)
      : names.map((name) => {
          const record = images.resolve(name);
          if (record === undefined) throw tsrunError('ERR_TSRUN_IMAGE_NOT_LOCAL', { reference: name });
          return record;
        });
    for (const record of records) {
      if (mountpointOf(paths, record.imageId) === undefined) continue;
      unmountImage(paths, record, given.force);
      print(`${record.imageId.slice('sha256:'.length)}\n`);
    }
    return 0;
  },
});
