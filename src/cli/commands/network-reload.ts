import { defineCommand } from '../command.ts';
import { print } from '../output.ts';
import { ALL_OPTION, forEach, selectContainers } from '../select-containers.ts';

export const NETWORK_RELOAD = defineCommand({
  usage: '[CONTAINER…]',
  operands: [0, Number.POSITIVE_INFINITY],
  text:
    'Makes the network of running containers good again after a part of it was killed: names and the way out of bridge networks. Their ' +
    "/etc/resolv.conf and /etc/hosts are written anew, as this machine's are now. Prints the ids.",
  options: { ...ALL_OPTION },
  examples: ['tsrun network reload --all', 'tsrun network reload web'],
  async run({ all }, names, context) {
    const engine = await context.engine();
    const { reloadNetwork } = await import('../../engine/reload-network.ts');
    const selected = await selectContainers(engine, names, { all });
    const chosen = all ? selected.filter((find) => find().state.init) : selected;
    return await forEach(chosen, context.debug, async (find) => {
      const view = find();
      await reloadNetwork(engine, view);
      print(`${view.id}\n`);
    });
  },
});
