import { defineCommand } from '../command.ts';
import { print } from '../output.ts';
import { ALL_OPTION, forEach, LATEST_OPTION, selectContainers } from '../select-containers.ts';

export const MOUNT = defineCommand({
  usage: '[CONTAINER…]',
  operands: [0, Number.POSITIVE_INFINITY],
  text: 'Mounts what containers have made of their images, to be looked at (`tsrun cp` changes it), without their volumes, and prints where; they may run meanwhile. Without CONTAINER lists what is mounted. Only in `tsrun unshare`; with the end of its shell, and of the containers that ran before it, the mounts are gone.',
  options: { ...ALL_OPTION, ...LATEST_OPTION },
  unsupported: { format: '', notruncate: 'ids are never cut' },
  examples: ['tsrun mount web'],
  async run(given, names, context) {
    const { mountContainer, openInside } = await import('../../engine/mount-container.ts');
    const { mountedIn, requireInside } = await import('../../engine/mount-tree.ts');
    const words = [...(given.all ? ['-a'] : []), ...(given.latest ? ['-l'] : []), ...names];
    requireInside('tsrun mount', words, !given.all && words.length === 1);
    const engine = openInside(context.storeRoot());
    if (words.length === 0) {
      const { lookedAt } = await import('../../store/paths.ts');
      const mounted = mountedIn(engine.paths);
      for (const find of await selectContainers(engine, [], { all: true })) {
        const { id } = find();
        const place = lookedAt(engine.paths, id);
        if (mounted.has(place)) print(`${id} ${place}\n`);
      }
      return 0;
    }
    return await forEach(await selectContainers(engine, names, given), context.debug, (find) => {
      const view = find();
      const place = mountContainer(engine, view);
      print(given.all || names.length > 1 ? `${view.id} ${place}\n` : `${place}\n`);
    });
  },
});
