import { defineCommand } from '../command.ts';

export const RENAME = defineCommand({
  usage: 'CONTAINER NAME',
  operands: [2, 2],
  text: 'Gives a container another name. It may run.',
  options: {},
  examples: ['tsrun rename web old-web'],
  async run(_given, [old = '', name = ''], context) {
    const engine = await context.engine();
    const { findContainer } = await import('../../engine/container-view.ts');
    const { checkName } = await import('../../engine/container-names.ts');
    checkName(name);
    engine.containers.rename(findContainer(engine, old).record, name);
    return 0;
  },
});
