/**
 * Bridge networks: the container gets an interface and an address of its own on each of its networks' bridges, which are in a namespace
 * that the user's containers share (hub-program.ts). The supervisor holds a connection to the hub: while it lives, so do the hub and
 * what the container is called there.
 *
 *     supervisor                                                    hub
 *       | vfork: in the hub's namespace, open a netlink socket;       |
 *       |        in the container's, open another                     |
 *       | hub's: the bridge, if it is not there; a pair of veth,      |
 *       |        one end a port of the bridge, one in the container   |
 *       | container's: addresses, default route                       |
 *       | JOIN {addresses, names} ----------------------------------> | answers as soon as the uplink is there
 *       | <--------------------------------------------------- 0 ---- |
 *
 * Both sockets are opened by a child that shares memory and descriptors: whoever enters a network namespace of the user's cannot come
 * back to the host's, and the supervisor has to stay there. Sending over them is allowed to whoever is root of the namespace's owner.
 * The bridge is asked for at each start: the kernel makes it if it is not there, and leaves it as it is otherwise.
 */
import { FD_EXTRA } from '../supervisor/protocol.ts';
import { call, close, op } from '../sys/calls.ts';
import {
  AT_FDCWD,
  CLONE_FILES,
  CLONE_NEWNET,
  CLONE_VFORK,
  CLONE_VM,
  MSG_NOSIGNAL,
  O_CLOEXEC,
  O_RDONLY,
  SIGCHLD,
  SIOCGIFINDEX,
} from '../sys/constants.ts';
import { ifreq } from '../sys/ifreq.ts';
import type { Slot, Slots, Step } from '../sys/step.ts';
import { waitForSuccess } from '../sys/wait.ts';
import {
  BRIDGES_TABLE,
  bridgeLink,
  type EndpointLease,
  type NetworkRoute,
  type NetworkSubnet,
} from './bridge-network.ts';
import type { AttachContext, NetworkDriver } from './driver.ts';
import type { ForwardTarget } from './forward/config.ts';
import type { HostNetwork } from './host-network.ts';
import { type Endpoint, endpointMessage, HUB_JOIN } from './hub-protocol.ts';
import { contains, type IpAddress, isIpv4 } from './ip-address.ts';
import { exchange, type NetlinkMessage, routeSocket } from './netlink.ts';
import { unconnectedBridge } from './plain-drivers.ts';
import {
  address,
  bridge,
  cableUp,
  type Device,
  ipv4Settings,
  routeVia,
  subnetRoute,
  unreachable,
  veth,
} from './route-messages.ts';

/** Where a supervisor of a container of bridge networks has its connection to the hub, and the hub's network namespace. */
export const SUPERVISOR_HUB = FD_EXTRA;
export const SUPERVISOR_NETNS = FD_EXTRA + 1;

/** What the engine has got ready. */
export interface BridgeAttachment {
  /** The container's id. */
  container: string;
  leases: readonly EndpointLease[];
  /**
   * Descriptors of the supervisor: its connection to the hub, and the hub's network namespace. They stay open when it executes itself anew
   * for a restart; its other children close all that they do not know.
   */
  connection: number;
  netns: number;
  /** --dns */
  servers: readonly IpAddress[];
}

const actor = 'supervisor';
type Rest = Parameters<typeof call> extends [unknown, unknown, ...infer R] ? R : never;
const step = (why: string, ...rest: Rest): Step => call(actor, why, ...rest);

/** Where containers reach DNS: the bridges of those of their networks that answer names. */
const dnsGateways = (leases: readonly EndpointLease[]): IpAddress[] =>
  leases
    .filter(({ network }) => network.dns)
    .flatMap(({ network }) => network.ipv4?.gateway ?? network.ipv6?.gateway ?? []);

/** A server among the containers themselves can only be asked from there. */
const isInside = (leases: readonly EndpointLease[], server: IpAddress): boolean =>
  leases.some(({ network: { ipv4, ipv6 } }) =>
    [ipv4, ipv6].some((subnet) => subnet && contains(subnet, server)),
  );

/** The domain of the containers (native/hub/resolver.h): searched first, so that no name of theirs is ever asked of others. */
const SEARCH_DOMAIN = 'dns.tsrun';

/** `nameserver` lines: the hub, which asks the servers of the user's choice; those that it cannot reach, directly. */
export function bridgeNameservers(
  leases: readonly EndpointLease[],
  servers: readonly IpAddress[],
): IpAddress[] | undefined {
  const gateways = dnsGateways(leases);
  if (gateways.length === 0) return leases.every(({ network }) => network.internal) ? [] : undefined;
  const direct = servers.filter((server) => isInside(leases, server));
  return direct.length > 0 ? direct : gateways;
}

/** How the forwarder of published ports reaches the container: by its first address of each family. */
export function bridgeTarget(leases: readonly EndpointLease[]): Omit<ForwardTarget, 'transparent'> {
  const family = (address: IpAddress | undefined, subnet: NetworkSubnet | undefined) =>
    address !== undefined && subnet ? { address, gateway: subnet.gateway, prefix: subnet.prefix } : undefined;
  const first4 = leases.find(({ ipv4 }) => ipv4 !== undefined);
  const first6 = leases.find(({ ipv6 }) => ipv6 !== undefined);
  return {
    ipv4: family(first4?.ipv4, first4?.network.ipv4),
    ipv6: family(first6?.ipv6, first6?.network.ipv6),
  };
}

export function bridgeDriver(attachment: BridgeAttachment, host: HostNetwork): NetworkDriver {
  const { leases, servers } = attachment;
  const [first] = leases;
  return {
    name: 'bridge',
    namespace: { kind: 'new' },
    attach: (context) => attach(context, attachment),
    publishing: 'none',
    nameservers: bridgeNameservers(leases, servers),
    searchDomain: dnsGateways(leases).length > 0 ? SEARCH_DOMAIN : undefined,
    containerAddress: first?.ipv4 ?? first?.ipv6,
    hostAddress: leases.some(({ network }) => !network.internal) ? host.address : undefined,
    sysctls: unconnectedBridge.sysctls,
  };
}

function attach({ slots, initPid }: AttachContext, attachment: BridgeAttachment): Step[] {
  const { leases, netns } = attachment;
  const hub = slots.new('hub.route');
  const own = slots.new('container.route');
  return [
    ...openSockets(slots, netns, initPid, hub, own),
    ...exchange(
      actor,
      'connect the container to the bridge',
      slots,
      hub,
      leases.flatMap((lease) => hubMessages(lease, initPid)),
    ),
    close(actor, 'connected', hub),
    ...configureContainer(actor, slots, own, leases),
    close(actor, 'configured', own),
    ...leases.flatMap((lease) => join(slots, attachment, lease)),
  ];
}

function openSockets(slots: Slots, netns: number, initPid: Slot, hub: Slot, own: Slot): Step[] {
  const [pidfd, file] = [slots.new('child'), slots.new('netns')];
  const child: Step[] = [
    step('enter the bridges’ namespace', 'setns', [netns, CLONE_NEWNET]),
    routeSocket(actor, 'talk about links there', hub),
    step(
      'the container’s namespace',
      'openat',
      [AT_FDCWD, { text: ['/proc/', initPid, '/ns/net'] }, O_RDONLY | O_CLOEXEC, 0],
      { result: file },
    ),
    step('enter it', 'setns', [file, CLONE_NEWNET]),
    routeSocket(actor, 'talk about addresses there', own),
    close(actor, 'entered', file),
  ];
  const flags = CLONE_VM | CLONE_VFORK | CLONE_FILES;
  return [
    op(actor, 'visit the namespaces of the bridges and of the container', {
      kind: 'clone',
      flags,
      exitSignal: SIGCHLD,
      pidfd,
      child,
    }),
    ...waitForSuccess(actor, 'visit the namespaces of the bridges and of the container', pidfd, slots),
    close(actor, 'it is back', pidfd),
  ];
}

/** The bridge's own address, and what leads to its subnet: nothing does from another bridge (hub-program.ts). */
const subnetMessages = (link: Device, { gateway, base, prefix }: NetworkSubnet): NetlinkMessage[] => [
  address(link, gateway, prefix, false),
  subnetRoute(link, base, prefix, BRIDGES_TABLE),
  unreachable(base, prefix),
];

/** The bridge, its addresses and the route to it; the container's cable. */
export function hubMessages(lease: EndpointLease, pid: Slot | number): NetlinkMessage[] {
  const { network, interfaceName, mac } = lease;
  const link = bridgeLink(network);
  const { ipv4, ipv6 } = network;
  return [
    bridge(link),
    ...(network.internal ? [] : [ipv4Settings(link.name, ['forwarding'])]),
    ...[ipv4, ipv6].flatMap((subnet) => (subnet ? subnetMessages(link, subnet) : [])),
    veth({ bridge: link.index, pid, name: interfaceName, mac, mtu: network.mtu }),
  ];
}

/** The container's side of one network. */
function containerMessages(device: Device, { ipv4, ipv6, network }: EndpointLease): NetlinkMessage[] {
  return [
    cableUp(device.name),
    ...(ipv4 !== undefined && network.ipv4 ? [address(device, ipv4, network.ipv4.prefix)] : []),
    ...(ipv6 !== undefined && network.ipv6 ? [address(device, ipv6, network.ipv6.prefix)] : []),
  ];
}

/** The network's routes of the versions that the container has an address of; not those by itself. */
const routesOf = ({ ipv4, ipv6, network }: EndpointLease): NetworkRoute[] =>
  (network.routes ?? []).filter(({ gateway }) => {
    const own = isIpv4(gateway) ? ipv4 : ipv6;
    return own !== undefined && own !== gateway;
  });

/** By which gateways this one of the container's networks is its way out: of each family the first network that has one. */
function gatewaysOf(lease: EndpointLease, leases: readonly EndpointLease[]): IpAddress[] {
  const outward = leases.filter(({ network }) => !network.internal);
  const first4 = outward.find(({ network }) => network.ipv4);
  const first6 = outward.find(({ network }) => network.ipv6);
  return [
    ...(lease === first4 ? [lease.network.ipv4] : []),
    ...(lease === first6 ? [lease.network.ipv6] : []),
  ].flatMap((subnet) => subnet?.gateway ?? []);
}

/** ioctl SIOCGIFINDEX (netdevice(7)): from the interface's name to its index. */
function interfaceIndex(who: Step['actor'], socket: Slot | number, name: string, index: Slot): Step {
  const found = ifreq(name, [{ width: 4, into: index }], 4);
  return call(who, `which number ${name} has`, 'ioctl', [socket, SIOCGIFINDEX, found]);
}

/**
 * Steps that give the container its addresses of the networks `added`, and the way out by its first networks.
 *
 * @param own a netlink socket in its namespace
 * @param leases all that it has
 */
export function configureContainer(
  who: Step['actor'],
  slots: Slots,
  own: Slot,
  leases: readonly EndpointLease[],
  added: readonly EndpointLease[] = leases,
): Step[] {
  const devices = leases
    .map((lease) => ({ lease, gateways: gatewaysOf(lease, leases), index: slots.new(lease.interfaceName) }))
    .filter(({ lease, gateways }) => added.includes(lease) || gateways.length > 0);
  return [
    ...devices.map(({ lease, index }) => interfaceIndex(who, own, lease.interfaceName, index)),
    ...exchange(
      who,
      'give the container its addresses',
      slots,
      own,
      devices.flatMap(({ lease, gateways, index }) => {
        const device = { index, name: lease.interfaceName };
        return [
          ...(added.includes(lease) ? containerMessages(device, lease) : []),
          ...gateways.map((gateway) => routeVia(device, gateway)),
          ...(added.includes(lease)
            ? routesOf(lease).map((route) => routeVia(device, route.gateway, route))
            : []),
        ];
      }),
    ),
  ];
}

/** The endpoint as the hub knows it. */
export const hubEndpoint = (
  container: string,
  { network, ipv4, ipv6, names }: EndpointLease,
  servers: readonly IpAddress[],
): Endpoint => ({
  container,
  network: network.number,
  ipv4,
  ipv6,
  names: network.dns ? names : [],
  servers: servers.length > 0 ? servers : network.dnsServers,
  internal: network.internal,
});

/**
 * How the steps begin that say to the hub who is there. It may have been killed, at a restart long ago: then another has taken over, and knows
 * the container (src/engine/adopt-containers.ts); so that it is gone is no failure here. tsrun looks after a start whether it is.
 */
export const BE_FOUND = 'be found as';

function join(
  slots: Slots,
  { connection, container, servers }: BridgeAttachment,
  lease: EndpointLease,
): Step[] {
  const message = endpointMessage(HUB_JOIN, hubEndpoint(container, lease, servers));
  const status = slots.new('status');
  const why = `${BE_FOUND} ${lease.names[0]} in the network ${lease.network.name}`;
  return [
    step(why, 'sendto', [connection, message, message.length, MSG_NOSIGNAL, 0, 0], { tolerate: GONE }),
    step(
      `${why}: when the uplink is there`,
      'recvfrom',
      [
        connection,
        {
          fields: [
            { width: 4, into: status },
            { width: 4, value: 0 },
          ],
          say: 'status',
        },
        4,
        0,
        0,
        0,
      ],
      { tolerate: GONE, retry: true },
    ),
    op(actor, why, { kind: 'check', value: status }),
  ];
}

const GONE = ['EPIPE', 'ECONNRESET', 'ENOTCONN'] as const;
