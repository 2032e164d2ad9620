/** A bridge network: what `network create` fixes. */
import { tsrunError } from '../errors.ts';
import {
  type AddressRun,
  contains,
  formatIp,
  hostOf,
  type IpAddress,
  ipNumber,
  isIpv4,
  overlap,
  runOf,
  type Subnet,
  subnetSize,
} from './ip-address.ts';

/** One subnet of a network; there may be one of IPv4 and one of IPv6. */
export interface NetworkSubnet extends Subnet {
  /** The bridge's own address. */
  gateway: IpAddress;
  /** Where addresses are leased from, when it is not the whole subnet. */
  range?: Subnet | AddressRun | undefined;
}

/** A way that the containers of a network have besides the one out: behind another container of the network. */
export interface NetworkRoute {
  destination: Subnet;
  /** Of the network. */
  gateway: IpAddress;
  /** Of several routes to one place the lowest is taken. */
  metric: number;
}

export interface BridgeNetwork {
  name: string;
  /** 64 hex digits */
  id: string;
  /** RFC 3339 */
  createdAt: string;
  /** Of this store's networks; the bridge and its index are called after it. */
  number: number;
  ipv4: NetworkSubnet | undefined;
  ipv6: NetworkSubnet | undefined;
  /** No way out, and no names of the outside. */
  internal: boolean;
  /** Names of containers are answered. */
  dns: boolean;
  /** DNS servers instead of the host's. */
  dnsServers: IpAddress[];
  mtu: number;
  routes?: NetworkRoute[];
  labels: Record<string, string>;
  /** --opt, as written */
  options: Record<string, string>;
}

/** What a container asks of a network. */
export interface EndpointRequest {
  /** The network's name. */
  name: string;
  ipv4?: IpAddress | undefined;
  ipv6?: IpAddress | undefined;
  mac?: string | undefined;
  /** In the container; undefined = the next of eth0, eth1, … */
  interfaceName?: string | undefined;
  aliases: string[];
}

/** What a container has got of a network, while it runs. */
export interface EndpointLease {
  network: BridgeNetwork;
  ipv4: IpAddress | undefined;
  ipv6: IpAddress | undefined;
  mac: string;
  /** In the container. */
  interfaceName: string;
  /** What it is called there; the first is its proper name. */
  names: string[];
}

export const DEFAULT_NETWORK = 'bridge';
/** As slirp4netns has it: 65520 is what the virtual wire carries in whole 32-bit words. */
export const DEFAULT_MTU = 65520;

/** Of interfaces: the bridges of networks with a way out (outward/rules.ts); `ts`. */
export const OUTWARD_GROUP = 0x7473;

/** Far above the numbers that the kernel chooses. */
const FIRST_INDEX = 1_000_000;

/** The bridge as a link: what RTM_NEWLINK wants. */
export const bridgeLink = ({ number, mtu, internal }: BridgeNetwork) => ({
  name: `tsrun${number}`,
  index: FIRST_INDEX + number,
  mac: macOf(BigInt(number), 'fe'),
  mtu,
  group: internal ? 0 : OUTWARD_GROUP,
});

/** What a new interface is called in a container that has `used`. */
export function nextInterface(used: readonly (string | undefined)[]): string {
  let number = 0;
  while (used.includes(`eth${number}`)) number++;
  return `eth${number}`;
}

/** What the interfaces of a container that starts are called, in its networks' order. */
export function interfaceNames(requests: readonly EndpointRequest[]): string[] {
  const names = requests.map(({ interfaceName }) => interfaceName);
  return names.map((name, index) => (names[index] = name ?? nextInterface(names)));
}

/** A locally administered address (IEEE 802) made of a number. */
function macOf(value: bigint, second: string): string {
  const hex = (value & 0xffffffffn).toString(16).padStart(8, '0');
  return ['02', second, ...(hex.match(/../g) ?? [])].join(':');
}

/** Made of the address, so that who has that address in a cache has the right MAC, too (docker does the same). */
export const macForAddress = (address: IpAddress): string => macOf(ipNumber(address), '42');

/** `BEGINNING.first.0.0/24` to `BEGINNING.last.255.0/24` */
function* subnets24(beginning: string, first: number, last: number, thirds = [0, 255]): Iterable<Subnet> {
  const [from = 0, to = 0] = thirds;
  for (let second = first; second <= last; second++) {
    for (let third = from; third <= to; third++)
      yield { base: `${beginning}.${second}.${third}.0`, prefix: 24 };
  }
}

/** Where automatic subnets come from. The later ones are for hosts with a route to all of 10.0.0.0/8, as a company's VPN has. */
function* candidates(): Iterable<Subnet> {
  yield* subnets24('10', 90, 99);
  yield* subnets24('172', 20, 30);
  yield* subnets24('192', 168, 168, [200, 239]);
}

/** Routing table of the bridges' subnets (hub-program.ts). */
export const BRIDGES_TABLE = 200;

/** slirp4netns's own, which is behind the uplink. */
export const UPLINK_SUBNET: Subnet = { base: '10.0.2.0', prefix: 24 };

/**
 * Which subnet slirp4netns gets instead, on a host that is itself in 10.0.2.0/24, as virtual machines of VirtualBox and of QEMU are: or its
 * containers would reach neither the host nor its neighbours there.
 *
 * @param taken where the host has routes to
 */
export function uplinkSubnet(taken: readonly Subnet[]): Subnet {
  const isFree = (subnet: Subnet): boolean => !taken.some((other) => overlap(subnet, other));
  if (isFree(UPLINK_SUBNET)) return UPLINK_SUBNET;
  for (const from of [
    subnets24('10', 0, 0, [3, 255]),
    subnets24('172', 31, 31),
    subnets24('192', 168, 168, [240, 254]),
  ]) {
    for (const subnet of from) if (isFree(subnet)) return subnet;
  }
  return UPLINK_SUBNET;
}

/**
 * The first subnet that nobody uses.
 * @param taken those of other networks, and where the host has routes to: a VPN that a container could not reach any more
 * @throws ERR_TSRUN_NETWORK_SUBNET
 */
export function freeSubnet(taken: readonly Subnet[]): Subnet {
  for (const subnet of candidates()) {
    if (!taken.some((other) => overlap(subnet, other))) return subnet;
  }
  throw tsrunError('ERR_TSRUN_NETWORK_SUBNET', {
    subnet:
      'of 10.90.0.0/24 to 10.99.255.0/24, 172.20.0.0/24 to 172.30.255.0/24, or 192.168.200.0/24 to 192.168.239.0/24',
    problem: 'all are in use by other networks, or the host has routes there',
  });
}

/** A unique local subnet (RFC 4193) for a network of this IPv4 subnet: fd74:7372:756e spells `tsrun`. */
export const ulaSubnet = (ipv4: Subnet): Subnet => ({
  base: formatIp((0xfd747372756en << 80n) | (((ipNumber(ipv4.base) >> 8n) & 0xffffn) << 64n), false),
  prefix: 64,
});

/** With the first address as the gateway. */
export const withGateway = (
  subnet: Subnet,
  gateway = hostOf(subnet, 1n),
  range?: Subnet | AddressRun,
): NetworkSubnet => ({
  ...subnet,
  gateway,
  ...(range && { range }),
});

/** May a container have this address? Not the gateway's, nor IPv4's first and last. */
export function isLeasable(subnet: NetworkSubnet, address: IpAddress): boolean {
  if (!contains(subnet, address) || address === subnet.gateway) return false;
  const offset = ipNumber(address) - ipNumber(subnet.base);
  return offset !== 0n && !(isIpv4(address) && offset === subnetSize(subnet) - 1n);
}

/**
 * Addresses to be leased that nobody has, or had; of a large subnet among the first 2^16. Leases lie one behind the other, mostly, and the dead ones stay:
 * so it begins as far behind the first address as there are leases, and comes to those before at last.
 */
export function* freeAddresses(subnet: NetworkSubnet, leased: ReadonlySet<IpAddress>): Iterable<IpAddress> {
  const { first, last } = runOf(subnet.range ?? subnet);
  const from = ipNumber(first);
  const size = ipNumber(last) - from + 1n;
  const limit = size < 65536n ? size : 65536n;
  const ofFamily = [...leased].filter((address) => isIpv4(address) === isIpv4(subnet.base));
  const begin = BigInt(ofFamily.length);
  for (let step = 0n; step < limit; step++) {
    const address = formatIp(from + ((begin + step) % limit), isIpv4(first));
    if (!leased.has(address) && isLeasable(subnet, address)) yield address;
  }
}
