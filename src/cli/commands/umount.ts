import { defineCommand } from '../command.ts';
import { flag } from '../options/option.ts';
import { print } from '../output.ts';
import { usageError } from '../parse/usage.ts';
import { ALL_OPTION, forEach, LATEST_OPTION, selectContainers } from '../select-containers.ts';

export const UMOUNT = defineCommand({
  usage: '[CONTAINER…]',
  operands: [0, Number.POSITIVE_INFINITY],
  text: 'Unmounts containers that `tsrun mount` has mounted, and prints their ids. Only in `tsrun unshare`.',
  options: {
    ...ALL_OPTION,
    ...LATEST_OPTION,
    force: flag('Also while something in them is in use', { short: 'f' }),
  },
  examples: ['tsrun umount web'],
  async run(given, names, context) {
    const { openInside, unmountContainer } = await import('../../engine/mount-container.ts');
    const { requireInside } = await import('../../engine/mount-tree.ts');
    const which = [...(given.all ? ['-a'] : []), ...(given.latest ? ['-l'] : []), ...names];
    if (which.length === 0) throw usageError('which container?', 'tsrun umount -a');
    requireInside('tsrun umount', [...(given.force ? ['-f'] : []), ...which]);
    const engine = openInside(context.storeRoot());
    return await forEach(await selectContainers(engine, names, given), context.debug, (find) => {
      const view = find();
      if (unmountContainer(engine, view, given.force)) print(`${view.id}\n`);
    });
  },
});
