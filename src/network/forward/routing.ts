/**
 * How a container's answers find their way back to the forwarder's sockets, which bear addresses that are not the container's
 * (policy routing, ip-rule(8)). All of it is in the container's own network namespace, and made by a process that has entered it.
 *
 *     client 192.0.2.1:4711 ──► forwarder's socket, bound to 192.0.2.1:4711, mark M ──lo──► service at 10.0.2.100:80
 *                                        ▲                                                      │
 *                                        └──── table tcp: everything is here (local, lo) ◄──────┘ answers with mark M too
 *
 * TCP: a connection takes the mark of its first packet (net.ipv4.tcp_fwmark_accept), a refusal that of what it refuses (fwmark_reflect).
 * net.ipv4.tcp_tw_reuse lets a client's port be used again after a second, as the client's own kernel does.
 *
 * UDP knows no such thing: what is sent from a published port is looked up in another table first, which has routes to the clients of
 * the moment only (native/forward/route.c). So a service that itself sends from that port to others (a peer-to-peer program, NTP) does
 * reach them.
 */
import { call, close, writeFile } from '../../sys/calls.ts';
import {
  AT_FDCWD,
  CLONE_NEWNET,
  IFF_UP,
  O_CLOEXEC,
  O_RDONLY,
  RTM_NEWLINK,
  RTM_NEWROUTE,
  RTM_NEWRULE,
} from '../../sys/constants.ts';
import type { Actor, Slot, Slots, Step } from '../../sys/step.ts';
import type { PortMapping } from '../driver.ts';
import {
  attribute,
  CREATE,
  exchange,
  message,
  type NetlinkMessage,
  type Part,
  routeSocket,
  struct,
  u8,
  u16,
  u32,
} from '../netlink.ts';
import { LONG_SEGMENTS, longSegments } from '../route-messages.ts';
import { type ForwardTarget, MARK, TABLES } from './config.ts';

/** Index of `lo` in every network namespace. */
const LOOPBACK = 1;

/** A routing rule comes before the table `main` (32766), and before those of a VPN inside (32764 and the like). */
const PRIORITY = { tcp: 100, udp: 101 } as const;

const FRA_PRIORITY = 6;
const FRA_FWMARK = 10;
const FRA_TABLE = 15;
const FRA_IP_PROTO = 22;
const FRA_SPORT_RANGE = 23;
const FR_ACT_TO_TBL = 1;
const IPPROTO_UDP = 17;

const RTA_OIF = 4;
const RTA_TABLE = 15;
const RTPROT_STATIC = 4;
const RT_SCOPE_HOST = 254;
const RTN_LOCAL = 2;

type Family = 2 | 10;
const option = (family: Family): string => (family === 2 ? '' : '-6 ');

/** The interface's routes need it up; the container's init sets it up too, at about the same time. */
const loopbackUp = (): NetlinkMessage =>
  message(
    RTM_NEWLINK,
    0,
    `link set lo up ${LONG_SEGMENTS}`,
    struct(u8(0), u8(0), u16(0), u32(LOOPBACK), u32(IFF_UP), u32(IFF_UP)),
    longSegments(),
  );

const rule = (family: Family, table: number, priority: number, ip: string, ...match: readonly Part[]) =>
  message(
    RTM_NEWRULE,
    CREATE,
    `${option(family)}rule add ${ip} lookup ${table} priority ${priority}`,
    struct(u8(family), u8(0), u8(0), u8(0), u8(0), u8(0), u8(0), u8(FR_ACT_TO_TBL), u32(0)),
    attribute(FRA_PRIORITY, u32(priority)),
    attribute(FRA_TABLE, u32(table)),
    ...match,
  );

const everythingIsHere = (family: Family, table: number): NetlinkMessage =>
  message(
    RTM_NEWROUTE,
    CREATE,
    `${option(family)}route add local default dev lo table ${table}`,
    struct(
      u8(family),
      u8(0),
      u8(0),
      u8(0),
      u8(0),
      u8(RTPROT_STATIC),
      u8(RT_SCOPE_HOST),
      u8(RTN_LOCAL),
      u32(0),
    ),
    attribute(RTA_OIF, u32(LOOPBACK)),
    attribute(RTA_TABLE, u32(table)),
  );

/** Neighbouring numbers as ranges: one rule for 8000-8100. */
export function ranges(numbers: readonly number[]): [first: number, last: number][] {
  const found: [number, number][] = [];
  for (const number of [...new Set(numbers)].sort((a, b) => a - b)) {
    const last = found.at(-1);
    if (last && last[1] === number - 1) last[1] = number;
    else found.push([number, number]);
  }
  return found;
}

const fromPorts = (family: Family, [first, last]: readonly [number, number]): NetlinkMessage =>
  rule(
    family,
    TABLES.udp,
    PRIORITY.udp,
    `ipproto udp sport ${first === last ? first : `${first}-${last}`}`,
    attribute(FRA_IP_PROTO, u8(IPPROTO_UDP)),
    attribute(FRA_SPORT_RANGE, u16(first), u16(last)),
  );

/** What is asked of the kernel, as commands of iproute2 too. */
export function routingMessages(target: ForwardTarget, ports: readonly PortMapping[]): NetlinkMessage[] {
  const udp = ranges(ports.filter(({ protocol }) => protocol === 'udp').map((port) => port.containerPort));
  const families: Family[] = [
    ...(target.ipv4 ? ([2] as const) : []),
    ...(target.ipv6 ? ([10] as const) : []),
  ];
  return [
    loopbackUp(),
    ...families.flatMap((family) => [
      rule(
        family,
        TABLES.tcp,
        PRIORITY.tcp,
        `fwmark 0x${MARK.toString(16)}`,
        attribute(FRA_FWMARK, u32(MARK)),
      ),
      everythingIsHere(family, TABLES.tcp),
      ...udp.map((range) => fromPorts(family, range)),
    ]),
  ];
}

/** With the value that each gets. */
const sysctls = (target: ForwardTarget): string[] => [
  'net.ipv4.tcp_fwmark_accept',
  'net.ipv4.fwmark_reflect',
  'net.ipv4.tcp_tw_reuse',
  ...(target.ipv6 ? ['net.ipv6.fwmark_reflect'] : []),
];

/** Moves the acting process into the network namespace of `initPid`, for good. */
export function enterNetwork(actor: Actor, slots: Slots, initPid: Slot): Step[] {
  const namespace = slots.new('netns');
  return [
    call(
      actor,
      'the container’s network namespace',
      'openat',
      [AT_FDCWD, { text: ['/proc/', initPid, '/ns/net'] }, O_RDONLY | O_CLOEXEC, 0],
      { result: namespace },
    ),
    call(actor, 'new sockets are the container’s; those that listen stay the host’s', 'setns', [
      namespace,
      CLONE_NEWNET,
    ]),
    close(actor, 'entered', namespace),
  ];
}

/** Steps of a process in the container's network namespace. */
export function routingSteps(
  actor: Actor,
  slots: Slots,
  target: ForwardTarget,
  ports: readonly PortMapping[],
): Step[] {
  const socket = slots.new('route');
  return [
    ...sysctls(target).flatMap((name) =>
      writeFile(actor, slots, {
        path: `/proc/sys/${name.replaceAll('.', '/')}`,
        value: '1',
        why: `${name} = 1: answers find the forwarder`,
      }),
    ),
    routeSocket(actor, 'ask for routes', socket),
    ...exchange(
      actor,
      'what is answered to clients comes to the forwarder',
      slots,
      socket,
      routingMessages(target, ports),
    ),
    close(actor, 'it is all said', socket),
  ];
}
