import { defineCommand } from '../command.ts';
import { flag } from '../options/option.ts';
import { print } from '../output.ts';
import { usageError } from '../parse/usage.ts';
import { ALL_OPTION, LATEST_OPTION } from '../select-containers.ts';

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
    const { mountpointOf, requireInside } = await import('../../engine/mount-tree.ts');
    const { selectInside } = await import('../select-inside.ts');
    if (names.length === 0 && !given.all && !given.latest)
      throw usageError('which container?', 'tsrun umount -a');
    requireInside('tsrun umount', `tsrun unshare ${['tsrun umount', ...names].join(' ')}`);
    const engine = openInside(context.storeRoot());
    for (const view of selectInside(engine, names, given)) {
      if (mountpointOf(engine.paths, view.id) === undefined) continue;
      unmountContainer(engine, view, given.force);
      print(`${view.id}\n`);
    }
    return 0;
  },
});
