/** What bridge networks ask of the kernel: links, addresses, routes and rules (rtnetlink(7), linux/if_link.h, linux/fib_rules.h). */
import {
  AF_INET,
  AF_INET6,
  IFF_UP,
  RTM_DELLINK,
  RTM_DELROUTE,
  RTM_NEWADDR,
  RTM_NEWLINK,
  RTM_NEWROUTE,
  RTM_NEWRULE,
} from '../sys/constants.ts';
import type { Slot } from '../sys/step.ts';
import { formatSubnet, type IpAddress, ipBytes, isIpv4, type Subnet } from './ip-address.ts';
import {
  attribute,
  CREATE,
  ENSURE,
  ENSURE_LINK,
  message,
  type NetlinkMessage,
  type Part,
  raw,
  struct,
  text,
  u8,
  u16,
  u32,
} from './netlink.ts';

const family = (address: IpAddress): number => (isIpv4(address) ? AF_INET : AF_INET6);

const ifinfomsg = (index: number, up: boolean) =>
  struct(u8(0), u8(0), u16(0), u32(index), u32(up ? IFF_UP : 0), u32(up ? IFF_UP : 0));

const IFLA_ADDRESS = 1;
const IFLA_IFNAME = 3;
const IFLA_MTU = 4;
const IFLA_MASTER = 10;
const IFLA_LINKINFO = 18;
const IFLA_NET_NS_PID = 19;
const IFLA_AF_SPEC = 26;
const IFLA_GROUP = 27;
const IFLA_INFO_KIND = 1;
const IFLA_INFO_DATA = 2;
const VETH_INFO_PEER = 1;
const IFLA_INET_CONF = 1;

const macBytes = (mac: string): Uint8Array =>
  Uint8Array.from(mac.split(':'), (byte) => Number.parseInt(byte, 16));

export interface BridgeLink {
  name: string;
  /** Interface index. The kernel lets whoever makes an interface choose it, so that others can name the bridge without asking. */
  index: number;
  mac: string;
  mtu: number;
  /** Of interfaces; 0 is that of all which are of no other. */
  group: number;
}

/** The MAC is given, or it would be the lowest of the ports', and change as they come and go. */
export const bridge = ({ name, index, mac, mtu, group }: BridgeLink): NetlinkMessage =>
  message(
    RTM_NEWLINK,
    ENSURE_LINK,
    `link add ${name} index ${index} address ${mac} mtu ${mtu} group ${group} up type bridge`,
    ifinfomsg(index, true),
    attribute(IFLA_IFNAME, text(name)),
    attribute(IFLA_ADDRESS, raw(macBytes(mac))),
    attribute(IFLA_MTU, u32(mtu)),
    attribute(IFLA_GROUP, u32(group)),
    attribute(IFLA_LINKINFO, attribute(IFLA_INFO_KIND, text('bridge'))),
  );

/** net.ipv4.conf.NAME.…, by their numbers in linux/ip.h; without /proc, which may be read-only. */
export const IPV4_SETTINGS = { forwarding: 1, proxy_arp: 3 } as const;
export type Ipv4Setting = keyof typeof IPV4_SETTINGS;

/** Sets them to 1. */
export const ipv4Settings = (name: string, settings: readonly Ipv4Setting[]): NetlinkMessage =>
  message(
    RTM_NEWLINK,
    0,
    `link set ${name} up # ${settings.map((setting) => `sysctl net.ipv4.conf.${name}.${setting}=1`).join(', ')}`,
    ifinfomsg(0, true),
    attribute(IFLA_IFNAME, text(name)),
    attribute(
      IFLA_AF_SPEC,
      attribute(
        AF_INET,
        attribute(IFLA_INET_CONF, ...settings.map((setting) => attribute(IPV4_SETTINGS[setting], u32(1)))),
      ),
    ),
  );

export const linkUp = (name: string): NetlinkMessage =>
  message(RTM_NEWLINK, 0, `link set ${name} up`, ifinfomsg(0, true), attribute(IFLA_IFNAME, text(name)));

const IFLA_GSO_IPV4_MAX_SIZE = 63;
const LONGEST_SEGMENT = 256 * 1024;

/**
 * TCP hands over so much at a time where no wire is in between ("BIG TCP" for IPv4, Linux 6.3; older kernels ignore it), instead of 64 KiB: a
 * quarter more through a published port, a third more between containers. All interfaces on the way must know: one that does not cuts
 * each segment into packets of its MTU.
 */
export const longSegments = (): Part => attribute(IFLA_GSO_IPV4_MAX_SIZE, u32(LONGEST_SEGMENT));
export const LONG_SEGMENTS = `gso_ipv4_max_size ${LONGEST_SEGMENT}`;

/** Of a cable whose other end is on this machine, too. */
export const cableUp = (name: string): NetlinkMessage =>
  message(
    RTM_NEWLINK,
    0,
    `link set ${name} up ${LONG_SEGMENTS}`,
    ifinfomsg(0, true),
    attribute(IFLA_IFNAME, text(name)),
    longSegments(),
  );

export const removeLink = (name: string): NetlinkMessage =>
  message(RTM_DELLINK, 0, `link delete ${name}`, ifinfomsg(0, false), attribute(IFLA_IFNAME, text(name)));

export interface VethLink {
  /** Index of the bridge that our end is a port of. */
  bridge: number;
  /** The container's init, in whose network namespace the other end is made. */
  pid: Slot | number;
  /** Of the other end. */
  name: string;
  mac: string;
  mtu: number;
}

/**
 * Our end gets the next free name of the kernel's, veth0, veth1, …: nobody asks for it, and it goes with the other. The other end can be
 * brought up only when it has been made.
 */
export const veth = ({ bridge: index, pid, name, mac, mtu }: VethLink): NetlinkMessage =>
  message(
    RTM_NEWLINK,
    CREATE,
    `link add master ${index} mtu ${mtu} ${LONG_SEGMENTS} up type veth peer name ${name} address ${mac} mtu ${mtu} netns ${typeof pid === 'number' ? pid : `$${pid.name}`}`,
    ifinfomsg(0, true),
    attribute(IFLA_MTU, u32(mtu)),
    longSegments(),
    attribute(IFLA_MASTER, u32(index)),
    attribute(
      IFLA_LINKINFO,
      attribute(IFLA_INFO_KIND, text('veth')),
      attribute(
        IFLA_INFO_DATA,
        attribute(
          VETH_INFO_PEER,
          ifinfomsg(0, false),
          attribute(IFLA_IFNAME, text(name)),
          attribute(IFLA_ADDRESS, raw(macBytes(mac))),
          attribute(IFLA_MTU, u32(mtu)),
          attribute(IFLA_NET_NS_PID, u32(pid)),
        ),
      ),
    ),
  );

const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_BROADCAST = 4;
const IFA_FLAGS = 8;
/** No duplicate address detection: it takes a second, and addresses are leased. */
const IFA_F_NODAD = 2;
const IFA_F_NOPREFIXROUTE = 0x200;

/** Where an interface is: its index, and how it is called in a command. */
export interface Device {
  index: number | Slot;
  name: string;
}

/** @param ownRoute whether the kernel adds the route to its subnet */
export function address(device: Device, value: IpAddress, prefix: number, ownRoute = true): NetlinkMessage {
  const bytes = ipBytes(value);
  const flags = (ownRoute ? 0 : IFA_F_NOPREFIXROUTE) | (isIpv4(value) ? 0 : IFA_F_NODAD);
  const broadcast = bytes.map((byte, i) => byte | (0xff >> Math.min(8, Math.max(0, prefix - 8 * i))));
  return message(
    RTM_NEWADDR,
    ENSURE,
    `address replace ${value}/${prefix} dev ${device.name}${ownRoute ? '' : ' noprefixroute'}${isIpv4(value) ? '' : ' nodad'}`,
    struct(u8(family(value)), u8(prefix), u8(0), u8(0), u32(device.index)),
    attribute(IFA_LOCAL, raw(bytes)),
    attribute(IFA_ADDRESS, raw(bytes)),
    ...(isIpv4(value) ? [attribute(IFA_BROADCAST, raw(broadcast))] : []),
    attribute(IFA_FLAGS, u32(flags)),
  );
}

const RTA_DST = 1;
const RTA_OIF = 4;
const RTA_GATEWAY = 5;
const RTA_PRIORITY = 6;
const RTA_TABLE = 15;
const RT_TABLE_MAIN = 254;
const RTPROT_STATIC = 4;
const RT_SCOPE_LINK = 253;
const RTN_UNICAST = 1;
const RTN_UNREACHABLE = 7;

const rtmsg = (kind: number, prefix: number, table: number, scope: number, type = RTN_UNICAST) =>
  struct(u8(kind), u8(prefix), u8(0), u8(0), u8(table), u8(RTPROT_STATIC), u8(scope), u8(type), u32(0));

/** To a subnet that is directly there, in a routing table of ours. */
export const subnetRoute = (
  device: Device,
  subnet: IpAddress,
  prefix: number,
  table: number,
): NetlinkMessage =>
  message(
    RTM_NEWROUTE,
    ENSURE,
    `route replace ${subnet}/${prefix} dev ${device.name} table ${table}`,
    rtmsg(family(subnet), prefix, table, RT_SCOPE_LINK),
    attribute(RTA_DST, raw(ipBytes(subnet))),
    attribute(RTA_OIF, u32(device.index)),
    attribute(RTA_TABLE, u32(table)),
  );

/**
 * What no way leads to: in the main table, which only packets from bridges come to (hub-program.ts). So a container that tries an address of
 * another network is told at once, and does not ask the host's network for it.
 */
export const unreachable = (subnet: IpAddress, prefix: number): NetlinkMessage =>
  message(
    RTM_NEWROUTE,
    ENSURE,
    `route replace unreachable ${subnet}/${prefix}`,
    rtmsg(family(subnet), prefix, RT_TABLE_MAIN, 0, RTN_UNREACHABLE),
    attribute(RTA_DST, raw(ipBytes(subnet))),
  );

export const removeUnreachable = (subnet: IpAddress, prefix: number): NetlinkMessage =>
  message(
    RTM_DELROUTE,
    0,
    `route delete unreachable ${subnet}/${prefix}`,
    rtmsg(family(subnet), prefix, RT_TABLE_MAIN, 0, RTN_UNREACHABLE),
    attribute(RTA_DST, raw(ipBytes(subnet))),
  );

/** Without a destination the default route. */
export function routeVia(
  device: Device,
  gateway: IpAddress,
  to?: { destination: Subnet; metric: number },
): NetlinkMessage {
  const words = to
    ? `${formatSubnet(to.destination)} via ${gateway} dev ${device.name} metric ${to.metric}`
    : `default via ${gateway} dev ${device.name}`;
  return message(
    RTM_NEWROUTE,
    ENSURE,
    `${isIpv4(gateway) ? '' : '-6 '}route replace ${words}`,
    rtmsg(family(gateway), to?.destination.prefix ?? 0, RT_TABLE_MAIN, 0),
    ...(to ? [attribute(RTA_DST, raw(ipBytes(to.destination.base)))] : []),
    attribute(RTA_GATEWAY, raw(ipBytes(gateway))),
    attribute(RTA_OIF, u32(device.index)),
    ...(to ? [attribute(RTA_PRIORITY, u32(to.metric))] : []),
  );
}

const FRA_IIFNAME = 3;
const FRA_PRIORITY = 6;
const FRA_TABLE = 15;
const FR_ACT_TO_TBL = 1;

/** What comes in by `interfaceName` (`lo`: what this namespace says itself) is routed by `table` before the main one. */
export const incomingRule = (
  interfaceName: string,
  table: number,
  priority: number,
  kind: number = AF_INET,
): NetlinkMessage =>
  message(
    RTM_NEWRULE,
    CREATE,
    `${kind === AF_INET ? '' : '-6 '}rule add iif ${interfaceName} lookup ${table} priority ${priority}`,
    struct(u8(kind), u8(0), u8(0), u8(0), u8(table), u8(0), u8(0), u8(FR_ACT_TO_TBL), u32(0)),
    attribute(FRA_PRIORITY, u32(priority)),
    attribute(FRA_IIFNAME, text(interfaceName)),
    attribute(FRA_TABLE, u32(table)),
  );
