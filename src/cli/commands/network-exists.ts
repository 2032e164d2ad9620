import { DEFAULT_NETWORK } from '../../network/bridge-network.ts';
import { defineCommand } from '../command.ts';

export const NETWORK_EXISTS = defineCommand({
  usage: 'NETWORK',
  operands: [1, 1],
  text: 'Exits with 0 if there is a network of that name, and with 1 if there is none.',
  options: {},
  examples: ['tsrun network exists back'],
  async run(_given, [name = ''], context) {
    const { paths } = await context.engine();
    const { readNetwork } = await import('../../store/networks.ts');
    return name === DEFAULT_NETWORK || readNetwork(paths, name) ? 0 : 1;
  },
});
