import { defineCommand } from '../command.ts';
import { print } from '../output.ts';
import { ALL_OPTION, LATEST_OPTION } from '../select-containers.ts';

export const MOUNT = defineCommand({
  usage: '[CONTAINER…]',
  operands: [0, Number.POSITIVE_INFINITY],
  text: 'Mounts what containers have made of their images, to be looked at (`tsrun cp` changes it), without their volumes, and prints where; they may run meanwhile. Without CONTAINER lists what is mounted. Only in `tsrun unshare`; with the end of its shell, and of the containers that ran before it, the mounts are gone.',
  options: { ...ALL_OPTION, ...LATEST_OPTION },
  unsupported: { format: '', notruncate: 'ids are never cut' },
  examples: ['tsrun mount web'],
  async run(given, names, context) {
    const { mountContainer, openInside } = await import('../../engine/mount-container.ts');
    const { mountpointOf, requireInside } = await import('../../engine/mount-tree.ts');
    const { selectInside } = await import('../select-inside.ts');
    const line = ['tsrun mount', ...names].join(' ');
    requireInside('tsrun mount', `tsrun unshare sh -c 'cd $(${line}) && ls'`);
    const engine = openInside(context.storeRoot());
    if (names.length === 0 && !given.all && !given.latest) {
      const mounted = selectInside(engine, [], { all: true, latest: false }).flatMap(({ id }) => {
        const place = mountpointOf(engine.paths, id);
        return place === undefined ? [] : [`${id} ${place}\n`];
      });
      print(mounted.join(''));
      return 0;
    }
    for (const view of selectInside(engine, names, given)) {
      const place = mountContainer(engine, view);
      print(given.all || names.length > 1 ? `${view.id} ${place}\n` : `${place}\n`);
    }
    return 0;
  },
});
