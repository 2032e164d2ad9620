import { tsrunError } from '../../errors.ts';
import type { ImageRecord } from '../../store/image-record.ts';
import { defineCommand } from '../command.ts';
import { flag } from '../options/option.ts';
import { print } from '../output.ts';
import { usageError } from '../parse/usage.ts';

export const IMAGE_MOUNT = defineCommand({
  usage: '[IMAGE…]',
  operands: [0, Number.POSITIVE_INFINITY],
  text: 'Mounts images, to be looked at, and prints where; without IMAGE lists what is mounted. Only in `tsrun unshare`; with the end of its shell, and of the containers that ran before it, the mounts are gone.',
  options: { all: flag('All images', { short: 'a' }) },
  unsupported: { format: '' },
  examples: ['tsrun image mount httpd'],
  async run(given, names, context) {
    if (given.all && names.length > 0) throw usageError('--all and a name contradict each other');
    const { mountImage } = await import('../../engine/mount-image.ts');
    const { mountpointOf, requireInside } = await import('../../engine/mount-tree.ts');
    const { ImageStore } = await import('../../store/images.ts');
    const line = ['tsrun image mount', ...names].join(' ');
    requireInside('tsrun image mount', `tsrun unshare sh -c 'cd $(${line}) && ls'`);
    const paths = { root: context.storeRoot(), runtime: '' };
    const images = new ImageStore(paths);
    const find = (name: string): ImageRecord => {
      const record = images.resolve(name);
      if (record === undefined) throw tsrunError('ERR_TSRUN_IMAGE_NOT_LOCAL', { reference: name });
      return record;
    };
    if (names.length === 0 && !given.all) {
      const mounted = images.list().flatMap((record) => {
        const place = mountpointOf(paths, record.imageId);
        return place === undefined ? [] : [`${record.reference} ${place}\n`];
      });
      print(mounted.join(''));
      return 0;
    }
    const records = given.all ? images.list() : names.map(find);
    for (const record of records) {
      const place = mountImage(paths, record);
      print(names.length === 1 ? `${place}\n` : `${record.reference} ${place}\n`);
    }
    return 0;
  },
});
