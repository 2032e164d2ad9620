import { defineCommand } from '../command.ts';
import { flag } from '../options/option.ts';

export const NETWORK_DISCONNECT = defineCommand({
  usage: 'NETWORK CONTAINER',
  operands: [2, 2],
  text: 'Takes a container off a network, at once if it runs, and for its next starts.',
  options: { force: flag('A container that is not on the network is no error', { short: 'f' }) },
  examples: ['tsrun network disconnect back web'],
  async run({ force }, [network = '', container = ''], context) {
    const engine = await context.engine();
    const { findContainer } = await import('../../engine/container-view.ts');
    const { disconnectContainer } = await import('../../engine/connect-running.ts');
    await disconnectContainer(engine, findContainer(engine, container), network, force);
    return 0;
  },
});
