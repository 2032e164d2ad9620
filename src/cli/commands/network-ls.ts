import { defineCommand } from '../command.ts';
import { formatList, labelFields } from '../format/list.ts';
import { withPodmanFields } from '../network-document.ts';
import { filterNetworks, NETWORK_FILTERS } from '../network-filter.ts';
import { filterOption } from '../options/filter-option.ts';
import { asWritten, flag, value } from '../options/option.ts';
import { print } from '../output.ts';
import { usageError } from '../parse/usage.ts';

const HEADINGS = {
  ID: 'NETWORK ID',
  Name: 'NAME',
  Driver: 'DRIVER',
  Scope: 'SCOPE',
  Internal: 'INTERNAL',
  IPv6: 'IPV6',
  CreatedAt: 'CREATED AT',
  Labels: 'LABELS',
  // podman's
  Created: 'CREATED AT',
  DNSEnabled: 'DNS',
  IPAMOptions: 'IPAM OPTIONS',
  IPv6Enabled: 'IPV6',
  NetworkDNSServers: 'DNS SERVERS',
  NetworkInterface: 'INTERFACE',
  Options: 'OPTIONS',
  Subnets: 'SUBNETS',
};

export const NETWORK_LS = defineCommand({
  usage: '',
  operands: [0, 0],
  text: 'Lists the bridge networks.',
  options: {
    filter: filterOption(NETWORK_FILTERS, { short: 'f', example: '--filter label=use=test' }),
    format: value('FORMAT', 'table, json (one object on each line), or a Go template', asWritten),
    noheading: flag('Leave the line with the headings out', { short: 'n' }),
    'no-trunc': flag('Print whole ids'),
    quiet: flag('Print only names', { short: 'q' }),
  },
  examples: [`tsrun network ls --format '{{.Name}} {{.ID}}'`],
  async run(given, _operands, context) {
    if (given.quiet && given.format !== undefined)
      throw usageError('--quiet and --format contradict each other');
    const engine = await context.engine();
    const { allNetworks } = await import('../../engine/networks.ts');
    const networks = await filterNetworks(engine, allNetworks(engine), given.filter);
    if (given.quiet) {
      print(networks.map(({ name }) => `${name}\n`).join(''));
      return 0;
    }
    const rows = networks.map((network) => {
      const row = {
        ID: given['no-trunc'] ? network.id : network.id.slice(0, 12),
        Name: network.name,
        Driver: 'bridge',
        Scope: 'local',
        Internal: network.internal,
        IPv6: network.ipv6 !== undefined,
        CreatedAt: network.createdAt,
        ...labelFields(network.labels),
      };
      return withPodmanFields(row, network);
    });
    const { format, noheading } = given;
    const columns = ['ID', 'Name', 'Driver', 'Scope'] as const;
    print(formatList(rows, { format, columns: [...columns], headings: HEADINGS, noHeading: noheading }));
    return 0;
  },
});
