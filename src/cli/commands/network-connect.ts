import { parseMac } from '../../network/parse-network.ts';
import { defineCommand } from '../command.ts';
import { list, value } from '../options/option.ts';
import { address, networkAlias } from '../parse/scalars.ts';

export const NETWORK_CONNECT = defineCommand({
  usage: 'NETWORK CONTAINER',
  operands: [2, 2],
  text: 'Connects a container of bridge networks to one more, at once if it runs, and at each of its starts.',
  options: {
    alias: list('NAME', 'Another name of it there', networkAlias),
    ip: value('ADDRESS', 'Its IPv4 address there', address('--ip', 4)),
    ip6: value('ADDRESS', 'Its IPv6 address there', address('--ip6', 6)),
    'mac-address': value('ADDRESS', 'The MAC address of its interface', parseMac),
  },
  unsupported: { link: '--alias', 'link-local-ip': '', 'driver-opt': '', 'gw-priority': '' },
  examples: ['tsrun network connect --alias db back web'],
  async run(given, [network = '', container = ''], context) {
    const engine = await context.engine();
    const { findContainer } = await import('../../engine/container-view.ts');
    const { connectContainer } = await import('../../engine/connect-running.ts');
    await connectContainer(engine, findContainer(engine, container), {
      name: network,
      ipv4: given.ip,
      ipv6: given.ip6,
      mac: given['mac-address'],
      aliases: given.alias,
    });
    return 0;
  },
});
