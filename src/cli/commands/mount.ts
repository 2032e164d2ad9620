import type { ContainerView } from '../../engine/container-view.ts';
import { defineCommand } from '../command.ts';
import { flag } from '../options/option.ts';
import { MOUNT_FORMAT, type Mounted, printMounts } from '../print-mounts.ts';
import { ALL_OPTION, forEach, LATEST_OPTION, selectContainers } from '../select-containers.ts';

const row = ({ id, record }: ContainerView, place: string): Mounted => ({
  id,
  label: id,
  names: { Names: [record.name] },
  place,
});

export const MOUNT = defineCommand({
  usage: '[CONTAINER…]',
  operands: [0, Number.POSITIVE_INFINITY],
  text: 'Mounts what containers have made of their images, to be looked at (`tsrun cp` changes it), without their volumes, and prints where; they may run meanwhile. Without CONTAINER lists what is mounted. Only in `tsrun unshare`; with the end of its shell, and of the containers that ran before it, the mounts are gone.',
  options: {
    ...ALL_OPTION,
    ...LATEST_OPTION,
    ...MOUNT_FORMAT,
    'no-trunc': flag('The same: ids are never cut'),
  },
  examples: ['tsrun mount web'],
  async run(given, names, context) {
    const { mountContainer, openInside } = await import('../../engine/mount-container.ts');
    const { mountedIn, requireInside } = await import('../../engine/mount-tree.ts');
    const words = [...(given.all ? ['-a'] : []), ...(given.latest ? ['-l'] : []), ...names];
    requireInside('tsrun mount', words, !given.all && words.length === 1);
    const engine = openInside(context.storeRoot());
    const { format } = given;
    if (words.length === 0) {
      const { lookedAt } = await import('../../store/paths.ts');
      const mounted = mountedIn(engine.paths);
      const all = await selectContainers(engine, [], { all: true });
      const rows = all.map((find) => find()).map((view) => row(view, lookedAt(engine.paths, view.id)));
      printMounts(
        rows.filter(({ place }) => mounted.has(place)),
        { format, isBare: false },
      );
      return 0;
    }
    const rows: Mounted[] = [];
    const status = await forEach(await selectContainers(engine, names, given), context.debug, (find) => {
      const view = find();
      rows.push(row(view, mountContainer(engine, view)));
    });
    printMounts(rows, { format, isBare: !given.all && names.length <= 1 });
    return status;
  },
});
