import { defineCommand } from '../command.ts';

export const RENAME = defineCommand({
  usage: 'CONTAINER NAME',
  operands: [2, 2],
  text: 'Gives a container another name. If it runs, it is found by that on its networks from then on.',
  options: {},
  examples: ['tsrun rename web old-web'],
  async run(_given, [old = '', name = ''], context) {
    const engine = await context.engine();
    const { findContainer } = await import('../../engine/container-view.ts');
    const { renameContainer } = await import('../../engine/rename-container.ts');
    await renameContainer(engine, findContainer(engine, old), name);
    return 0;
  },
});
