/**
 * Connecting a container that starts to its bridge networks: a member of the hub, an address on each network, and a driver that knows
 * both. The addresses are leased to the container (store/leases.ts); what it got is written down for `inspect`.
 */
import { fstatSync } from 'node:fs';
import { BE_FOUND, bridgeDriver, bridgeTarget, SUPERVISOR_HUB, SUPERVISOR_NETNS } from '../network/bridge.ts';
import {
  type BridgeNetwork,
  type EndpointLease,
  type EndpointRequest,
  freeAddresses,
  interfaceNames,
  isLeasable,
  macForAddress,
  type NetworkSubnet,
} from '../network/bridge-network.ts';
import { hostHasIpv6 } from '../network/claim-ports.ts';
import type { NetworkDriver } from '../network/driver.ts';
import { forwarded } from '../network/forward/forwarded.ts';
import type { HostNetwork } from '../network/host-network.ts';
import { formatRange, hostOf, type IpAddress, ipNumber } from '../network/ip-address.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import { leasedAddresses, leaseHolder, lockLeases, sweepLeases, takeLease } from '../store/leases.ts';
import { randomHex } from '../sys/random.ts';
import { refuseAddress, requireLeasable, requireVersions, takenBy } from './check-endpoints.ts';
import type { BridgeChoice, ConnectedNetwork, ContainerNetwork } from './container-network.ts';
import type { HubMember } from './hub-member.ts';
import { hubNeeds } from './hub-needs.ts';
import { joinHub } from './join-hub.ts';
import { findNetwork } from './networks.ts';
import type { Engine } from './open-engine.ts';
import { readConnections, readEndpoints, writeEndpoints } from './read-endpoints.ts';

/** @throws ERR_TSRUN_HUB, ERR_TSRUN_NETWORK_UNKNOWN, ERR_TSRUN_NETWORK_ADDRESS, ERR_TSRUN_NAMESPACES */
export async function connectNetworks(
  engine: Engine,
  record: ContainerRecord,
  network: ContainerNetwork,
  bridge: BridgeChoice,
): Promise<ConnectedNetwork> {
  const { host } = network;
  const member = await joinHub(engine, { host, helper: bridge.helper });
  try {
    const leases = await leaseAll(engine, record, readConnections(engine, record.id) ?? bridge.networks);
    writeEndpoints(engine, record.id, leases);
    const driver = endpointDriver(record, leases, bridge, host);
    return connected({ ...network, driver }, member, engine, record);
  } catch (error) {
    member[Symbol.dispose]();
    throw error;
  }
}

/** The driver that attaches a container to its leases, its ports published by the forwarder. */
export function endpointDriver(
  record: ContainerRecord,
  leases: readonly EndpointLease[],
  { transparent }: BridgeChoice,
  host: HostNetwork,
): NetworkDriver {
  const attachment = {
    container: record.id,
    leases,
    connection: SUPERVISOR_HUB,
    netns: SUPERVISOR_NETNS,
    servers: record.dns.dns,
  };
  const target = { ...bridgeTarget(leases), transparent };
  return forwarded(bridgeDriver(attachment, host), {
    target,
    hasIpv6: hostHasIpv6(),
    openFiles: host.openFiles,
  });
}

const connected = (
  network: ContainerNetwork,
  member: HubMember,
  engine: Engine,
  record: ContainerRecord,
): ConnectedNetwork => ({
  network,
  extra: [member.connection, member.netns],
  rootless: { maps: engine.maps, holder: member.pidfd },
  explain: (step) => (step?.why.startsWith(BE_FOUND) ? member.uplinkFailure() : undefined),
  settle: () => settle(engine, record, member),
  [Symbol.dispose]: () => member[Symbol.dispose](),
});

/** If the hub was killed while the container started, another takes it over. */
async function settle(engine: Engine, record: ContainerRecord, member: HubMember): Promise<void> {
  if (member.isAlive) return;
  using next = await joinHub(engine, hubNeeds(engine));
  if (fstatSync(next.netns).ino === fstatSync(member.netns).ino) return;
  // Another start was first, and there was no supervisor yet that held the namespace.
  engine.warn(`${record.name} is cut off: its hub was killed; tsrun restart ${record.name}`);
}

/** All names of the container in one network: its own, the short id, aliases, its host name. */
export const endpointNames = (record: ContainerRecord, aliases: readonly string[]): string[] => [
  ...new Set([
    record.name,
    record.id.slice(0, 12),
    ...aliases,
    ...(record.hostname === '' ? [] : [record.hostname]),
  ]),
];

async function leaseAll(
  engine: Engine,
  record: ContainerRecord,
  requests: readonly EndpointRequest[],
): Promise<EndpointLease[]> {
  const before = readEndpoints(engine, record.id);
  using _lock = await lockLeases(engine.paths);
  const names = interfaceNames(requests);
  return requests.map((request, index) => leaseEndpoint(engine, record, request, names[index] ?? '', before));
}

/** Addresses that are as good as any other, or better. */
type Liked = (IpAddress | undefined)[];

/** With the lock on leases. */
export function leaseEndpoint(
  engine: Engine,
  record: ContainerRecord,
  request: EndpointRequest,
  interfaceName: string,
  before: readonly EndpointLease[] = [],
): EndpointLease {
  const network = findNetwork(engine, request.name);
  requireVersions(network, request);
  const earlier = before.find((lease) => lease.network.id === network.id);
  const lease = (subnet: NetworkSubnet | undefined, wanted: IpAddress | undefined, ...liked: Liked) =>
    subnet && leaseAddress(engine, record, network, subnet, wanted, liked);
  const ipv4 = lease(network.ipv4, request.ipv4, earlier?.ipv4);
  const ipv6 = lease(network.ipv6, request.ipv6, sameHost(network, ipv4), earlier?.ipv6);
  const mac = request.mac ?? macForAddress(ipv4 ?? ipv6 ?? randomAddress());
  return { network, ipv4, ipv6, mac, interfaceName, names: endpointNames(record, request.aliases) };
}

/** For the MAC of a container without an address. */
const randomAddress = (): IpAddress => hostOf({ base: '0.0.0.0', prefix: 0 }, BigInt(`0x${randomHex(4)}`));

/** An automatic IPv6 address ends as the IPv4 one, if nobody has asked for that, and the subnet is not the smaller one. */
function sameHost({ ipv4, ipv6 }: BridgeNetwork, address: IpAddress | undefined): IpAddress | undefined {
  if (!ipv4 || !ipv6 || address === undefined || ipv6.range) return undefined;
  return hostOf(ipv6, ipNumber(address) - ipNumber(ipv4.base));
}

function leaseAddress(
  engine: Engine,
  record: ContainerRecord,
  network: BridgeNetwork,
  subnet: NetworkSubnet,
  wanted: IpAddress | undefined,
  liked: Liked,
): IpAddress {
  const { paths } = engine;
  const take = (address: IpAddress): boolean => takeLease(paths, network.number, address, record.id);
  if (wanted !== undefined) {
    requireLeasable(network, subnet, wanted);
    if (take(wanted)) return wanted;
    throw takenBy(network, wanted, leaseHolder(paths, network.number, wanted));
  }
  for (const address of liked) {
    if (address !== undefined && isLeasable(subnet, address) && take(address)) return address;
  }
  const free = (): IpAddress | undefined => {
    const leased = leasedAddresses(paths, network.number);
    for (const address of freeAddresses(subnet, leased)) if (take(address)) return address;
    return undefined;
  };
  const found = free();
  if (found !== undefined) return found;
  sweepLeases(paths, network.number);
  const reclaimed = free();
  if (reclaimed !== undefined) return reclaimed;
  throw refuseAddress(network, undefined, `all of ${formatRange(subnet.range ?? subnet)} are in use`);
}
