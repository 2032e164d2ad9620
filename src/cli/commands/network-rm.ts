import { TsrunError } from '../../errors.ts';
import { defineCommand } from '../command.ts';
import { flag } from '../options/option.ts';
import { print } from '../output.ts';
import { forEach } from '../select-containers.ts';

export const NETWORK_RM = defineCommand({
  usage: 'NETWORK…',
  operands: [1, Number.POSITIVE_INFINITY],
  text: 'Removes networks. One that a container uses, even a stopped one, stays unless forced.',
  options: {
    force: flag('Remove the containers that use them first; one that is not there is no error', {
      short: 'f',
    }),
  },
  examples: ['tsrun network rm back'],
  async run({ force }, names, context) {
    const engine = await context.engine();
    const { findNetwork } = await import('../../engine/networks.ts');
    const { deleteNetwork } = await import('../../engine/manage-networks.ts');
    return await forEach(names, context.debug, async (name) => {
      try {
        await deleteNetwork(engine, findNetwork(engine, name), force);
        print(`${name}\n`);
      } catch (error) {
        const isAbsent = error instanceof TsrunError && error.code === 'ERR_TSRUN_NETWORK_UNKNOWN';
        if (!(force && isAbsent)) throw error;
      }
    });
  },
});
