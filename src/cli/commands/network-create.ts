import { DEFAULT_MTU, type NetworkRoute } from '../../network/bridge-network.ts';
import {
  type AddressRun,
  type IpAddress,
  isIpv4,
  parseIp,
  parseRange,
  parseSubnet,
  type Subnet,
} from '../../network/ip-address.ts';
import { randomHex } from '../../sys/random.ts';
import { defineCommand } from '../command.ts';
import { flag, list, value } from '../options/option.ts';
import { print } from '../output.ts';
import { parseLabel } from '../parse/labels.ts';
import { addresses } from '../parse/scalars.ts';
import { usageError } from '../parse/usage.ts';
import { oneOf } from '../parse/words-of-choice.ts';

/** @throws ERR_TSRUN_USAGE */
function ipamDriver(text: string): string {
  if (text === 'host-local' || text === 'default') return text;
  const hint = {
    none: '--network none   # a container without a network',
    dhcp: '--ip-range FIRST-LAST   # which addresses are leased',
  };
  throw usageError(
    `--ipam-driver ${text}: containers get their addresses from tsrun, which is host-local`,
    (Object.hasOwn(hint, text) ? hint[text as keyof typeof hint] : undefined) ?? '--ipam-driver host-local',
  );
}

const EXAMPLE = 'tsrun network create --subnet 192.168.77.0/24 back';

function subnet(option: string) {
  return (text: string): Subnet => {
    const found = parseSubnet(text);
    if (found) return found;
    throw usageError(`${option} ${text}: not a subnet`, `${option} 192.168.77.0/24`);
  };
}

function range(text: string): Subnet | AddressRun {
  const found = parseRange(text);
  if (found) return found;
  throw usageError(`--ip-range ${text}: not a range of addresses`, '--ip-range 192.168.77.20-192.168.77.99');
}

function gateway(text: string): IpAddress {
  const found = parseIp(text);
  if (found !== undefined) return found;
  throw usageError(`--gateway ${text}: not an IP address`, '--gateway 192.168.77.1');
}

/** `DESTINATION,GATEWAY[,METRIC]`. A metric is a number of 32 bits; podman's is 100, too. */
function route(text: string): NetworkRoute {
  const [to = '', via = '', metric = '100', ...more] = text.split(',');
  const [destination, gateway] = [parseSubnet(to), parseIp(via)];
  const problem =
    (!destination && `"${to}" is not a subnet`) ||
    (gateway === undefined && `"${via}" is not an IP address`) ||
    (destination &&
      gateway !== undefined &&
      isIpv4(destination.base) !== isIpv4(gateway) &&
      'one is IPv4, the other IPv6') ||
    ((!/^\d{1,10}$/.test(metric) || Number(metric) > 0xffffffff || more.length > 0) &&
      'a metric is a number') ||
    undefined;
  if (destination && gateway !== undefined && problem === undefined)
    return { destination, gateway, metric: Number(metric) };
  throw usageError(`--route ${text}: ${problem}`, '--route 10.1.0.0/16,192.168.77.5');
}

/** podman's `mtu`; docker's `com.docker.network.driver.mtu` is the same. */
function parseOption(text: string): [key: string, value: string] {
  const [, key = '', written = ''] = /^([^=]+)=(.*)$/.exec(text) ?? [];
  const isMtu = key === 'mtu' || key === 'com.docker.network.driver.mtu';
  if (isMtu && /^\d{2,5}$/.test(written) && Number(written) >= 68 && Number(written) <= DEFAULT_MTU)
    return ['mtu', written];
  if (isMtu) throw usageError(`--opt ${text}: an MTU is between 68 and ${DEFAULT_MTU}`, '--opt mtu=1500');
  // podman's word for what no network of ours is without
  if (key === 'isolate' && (written === 'true' || written === 'strict')) return [key, written];
  if (key === 'isolate')
    throw usageError(
      `--opt ${text}: containers of different networks never reach each other`,
      'tsrun network connect NETWORK CONTAINER',
    );
  throw usageError(`--opt ${text}: there are mtu and isolate`, '--opt mtu=1500');
}

export const NETWORK_CREATE = defineCommand({
  usage: '[NAME]',
  operands: [0, 1],
  text: 'Makes a bridge network, under a random name if none is given, and prints its name. Containers of different networks do not reach each other.',
  options: {
    'disable-dns': flag('Do not answer names of containers'),
    dns: list('ADDRESS', "DNS servers to ask instead of the host's", addresses('--dns')),
    driver: value('DRIVER', 'There is one: bridge', oneOf('--driver', ['bridge']), {
      short: 'd',
      default: 'bridge',
    }),
    gateway: list('ADDRESS', "The bridge's own address, in one of its subnets", gateway),
    ignore: flag('One that is there already is no error'),
    internal: flag('No way out of the network'),
    'ipam-driver': value('DRIVER', 'Who gives out addresses; there is one: host-local', ipamDriver, {
      default: 'host-local',
    }),
    'ip-range': list(
      'RANGE',
      'Lease addresses from this part of the subnet: a smaller one, or FIRST-LAST',
      range,
    ),
    ipv6: flag('An IPv6 subnet, too'),
    label: list('KEY=VALUE', 'Attach a label to the network', parseLabel),
    opt: list('KEY=VALUE', 'mtu=BYTES; isolate=true, as every network is', parseOption, { short: 'o' }),
    route: list('DESTINATION,GATEWAY[,METRIC]', 'A way behind a container of the network', route, {
      example: '--route 10.1.0.0/16,192.168.77.5',
    }),
    subnet: list('SUBNET', 'Its subnet; one of IPv4 and one of IPv6', subnet('--subnet'), {
      example: '--subnet 192.168.77.0/24',
    }),
  },
  unsupported: {
    'interface-name':
      'nothing but tsrun sees the bridges; for the name in a container: --network NETWORK:interface_name=NAME',
    attachable: 'leave it out: any container can be connected',
    'config-only': 'tsrun network create NAME',
    'config-from': 'tsrun network create NAME',
    ingress: 'leave it out: there is no swarm',
    scope: 'leave it out: a network is of this machine',
  },
  examples: ['tsrun network create back', EXAMPLE],
  async run(given, [name = `network-${randomHex(4)}`], context) {
    const engine = await context.engine();
    const { makeNetwork } = await import('../../engine/manage-networks.ts');
    const { readNetwork } = await import('../../store/networks.ts');
    const options = Object.fromEntries(given.opt);
    if (!given.ignore || !readNetwork(engine.paths, name)) {
      await makeNetwork(engine, {
        name,
        subnets: given.subnet,
        gateways: given.gateway,
        ranges: given['ip-range'],
        ipv6: given.ipv6,
        internal: given.internal,
        dns: !given['disable-dns'],
        dnsServers: given.dns.flat(),
        mtu: Number(options.mtu ?? DEFAULT_MTU),
        routes: given.route,
        labels: Object.fromEntries(given.label),
        options,
      });
    }
    print(`${name}\n`);
    return 0;
  },
});
