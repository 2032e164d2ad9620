/** Which subnets a new network gets: those that were asked for, if it can have them, or the next that nobody uses. */
import { tsrunError } from '../errors.ts';
import {
  type BridgeNetwork,
  freeSubnet,
  isLeasable,
  type NetworkSubnet,
  ulaSubnet,
  uplinkSubnet,
  withGateway,
} from '../network/bridge-network.ts';
import { readHostNetwork } from '../network/host-network.ts';
import {
  type AddressRun,
  contains,
  formatRange,
  formatSubnet,
  type IpAddress,
  isIpv4,
  overlap,
  runOf,
  type Subnet,
  subnetSize,
} from '../network/ip-address.ts';
import { listNetworks } from '../store/networks.ts';
import { takenSubnets } from './networks.ts';
import type { Engine } from './open-engine.ts';

const refuse = (subnet: string, problem: string) =>
  tsrunError('ERR_TSRUN_NETWORK_SUBNET', { subnet, problem });

/** Addresses that the kernel gives to no interface of a bridge, or that mean something else on each. */
const RESERVED: readonly (readonly [base: string, prefix: number, what: string])[] = [
  ['0.0.0.0', 8, 'addresses that mean “this network”'],
  ['127.0.0.0', 8, 'loopback addresses'],
  ['224.0.0.0', 3, 'multicast and reserved addresses'],
  ['::', 8, 'reserved addresses, the loopback’s among them'],
  ['fe80::', 10, 'link-local addresses, which each network has'],
  ['ff00::', 8, 'multicast addresses'],
];

/** Who has addresses of the subnet, in words. */
function user(engine: Engine, subnet: Subnet): string | undefined {
  for (const { name, ipv4, ipv6 } of listNetworks(engine.paths)) {
    const other = [ipv4, ipv6].find((each) => each && overlap(each, subnet));
    if (other) return `${formatSubnet(other)} of the network "${name}"`;
  }
  const { subnets, ipv6Subnets } = readHostNetwork();
  const route = (isIpv4(subnet.base) ? subnets : ipv6Subnets).find((each) => overlap(each, subnet));
  if (route) return `${formatSubnet(route)}, where this machine has a route to`;
  const uplink = uplinkSubnet(subnets);
  return overlap(subnet, uplink)
    ? `${formatSubnet(uplink)}, which slirp4netns has between the bridges and the outside`
    : undefined;
}

/** @throws ERR_TSRUN_NETWORK_SUBNET */
function checkSubnet(engine: Engine, subnet: Subnet): void {
  const text = formatSubnet(subnet);
  const reserved = RESERVED.find(([base, prefix]) => overlap({ base, prefix }, subnet));
  if (reserved) throw refuse(text, `it has ${reserved[2]}`);
  const other = user(engine, subnet);
  if (other !== undefined) throw refuse(text, `it overlaps ${other}`);
  if (subnetSize(subnet) < 4n) throw refuse(text, 'there is no room for containers');
}

/** The first and the last address of a subnet are nobody's; of IPv6 only the first. */
function checkGateway(subnet: NetworkSubnet): void {
  if (isLeasable({ ...subnet, gateway: '' }, subnet.gateway)) return;
  throw tsrunError('ERR_TSRUN_USAGE', {
    problem: `--gateway ${subnet.gateway}: it stands for all of ${formatSubnet(subnet)}, and is no host’s`,
    hint: `--gateway ${withGateway(subnet).gateway}`,
  });
}

function homeless(option: string, used: readonly (Subnet | undefined)[], wasGiven: boolean) {
  const subnets = used.flatMap((subnet) => (subnet ? [formatSubnet(subnet)] : []));
  return tsrunError('ERR_TSRUN_USAGE', {
    problem: wasGiven
      ? `${option}: it is in no subnet of the network, which has ${subnets.join(' and ')}`
      : `${option}: in which subnet?`,
    hint: wasGiven ? 'tsrun network create --help' : `${option} --subnet SUBNET`,
  });
}

/** --subnet, --gateway and --ip-range, in their order: the n-th gateway is of the n-th subnet. */
export interface SubnetRequest {
  subnets: Subnet[];
  gateways: IpAddress[];
  ranges: (Subnet | AddressRun)[];
  ipv6: boolean;
}

/** @throws ERR_TSRUN_NETWORK_SUBNET, ERR_TSRUN_USAGE */
export function chooseSubnets(request: SubnetRequest, engine: Engine): Pick<BridgeNetwork, 'ipv4' | 'ipv6'> {
  const { subnets, gateways, ranges } = request;
  for (const subnet of subnets) checkSubnet(engine, subnet);
  const ofVersion = (ipv4: boolean) => subnets.filter((subnet) => isIpv4(subnet.base) === ipv4);
  for (const version of [true, false]) {
    if (ofVersion(version).length > 1)
      throw refuse(ofVersion(version).map(formatSubnet).join(' and '), 'a network has one of each version');
  }
  const complete = (subnet: Subnet | undefined) => {
    if (!subnet) return undefined;
    const inside = (address: IpAddress): boolean => contains(subnet, address);
    const whole = withGateway(
      subnet,
      gateways.find(inside),
      ranges.find((range) => inside(runOf(range).first) && inside(runOf(range).last)),
    );
    checkGateway(whole);
    return whole;
  };
  const [given6] = ofVersion(false);
  const base = ofVersion(true)[0] ?? freeSubnet(takenSubnets(engine));
  const ipv4 = subnets.length > 0 && ofVersion(true).length === 0 ? undefined : complete(base);
  const ipv6 = complete(given6 ?? (request.ipv6 ? ulaSubnet(base) : undefined));
  const used = [ipv4, ipv6];
  const wasGiven = subnets.length > 0;
  const gateway = gateways.find((each) => !used.some((subnet) => subnet?.gateway === each));
  const range = ranges.find((each) => !used.some((subnet) => subnet?.range === each));
  if (gateway !== undefined) throw homeless(`--gateway ${gateway}`, used, wasGiven);
  if (range !== undefined) throw homeless(`--ip-range ${formatRange(range)}`, used, wasGiven);
  return { ipv4, ipv6 };
}
