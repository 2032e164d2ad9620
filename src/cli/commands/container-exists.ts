import { TsrunError } from '../../errors.ts';
import { defineCommand } from '../command.ts';

export const CONTAINER_EXISTS = defineCommand({
  usage: 'CONTAINER',
  operands: [1, 1],
  text: 'Exits with 0 if there is a container of that name or id, and with 1 if there is none.',
  options: {},
  unsupported: { external: '' },
  examples: ['tsrun container exists web'],
  async run(_given, [name = ''], context) {
    const engine = await context.engine();
    const { findContainer } = await import('../../engine/container-view.ts');
    try {
      findContainer(engine, name);
      return 0;
    } catch (error) {
      if (error instanceof TsrunError && error.code === 'ERR_TSRUN_CONTAINER_UNKNOWN') return 1;
      throw error;
    }
  },
});
