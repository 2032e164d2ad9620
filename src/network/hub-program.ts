/**
 * The two programs of the hub (native/hub.c): one makes the network namespace that the bridges of a user are in, the other its uplink.
 *
 * Routing in there needs no packet filter (only outward/ has rules, for connections that do not go through slirp4netns). The main table has
 * what the uplink puts there: the way out. The bridges' subnets are in a table of their own, which only two kinds of packets look into: those
 * that come from the uplink, and what the hub's own DNS server says. So a packet that comes from a bridge can go out, and nowhere else: two
 * networks do not reach each other, whatever addresses they try (podman#25438: isolation by name only); in the main table the bridges' subnets
 * are unreachable, so that they do not ask the host for them. And as the uplink's interface answers ARP for the containers (proxy_arp),
 * slirp4netns delivers what is for them without any address translation.
 *
 * The namespace is made in a child that shares memory and descriptors with the hub (vfork), as the hub itself has to stay in the host's:
 * from there it asks the host's DNS servers.
 *
 * If a hub is killed, its containers' supervisors still hold the namespace, with bridges, routes and rules as they were. The next hub is given
 * it, makes its own sockets in it, and an uplink of the same name.
 */
import { call, close, op, pipe, writeFile } from '../sys/calls.ts';
import {
  AF_INET,
  AF_INET6,
  AT_FDCWD,
  CLONE_FILES,
  CLONE_NEWNET,
  CLONE_VFORK,
  CLONE_VM,
  O_CLOEXEC,
  O_NONBLOCK,
  O_PATH,
  O_RDONLY,
  SIGCHLD,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_STREAM,
} from '../sys/constants.ts';
import { type Memory, type Program, type Slot, Slots, type Step } from '../sys/step.ts';
import { waitForSuccess } from '../sys/wait.ts';
import { BRIDGES_TABLE, UPLINK_SUBNET } from './bridge-network.ts';
import { emptyRoot } from './forward/empty-root.ts';
import { reuseAddress } from './forward/listening-socket.ts';
import { readExactly, startHelper, waitForAny } from './helper-steps.ts';
import * as hub from './hub-protocol.ts';
import type { Subnet } from './ip-address.ts';
import { exchange, routeSocket } from './netlink.ts';
import { openOutward, outwardSlots } from './outward/open.ts';
import { incomingRule, ipv4Settings, linkUp, removeLink, unreachable } from './route-messages.ts';
import { slirpArguments } from './slirp4netns.ts';
import { DEFAULT_SLIRP_OPTIONS, inSubnet } from './slirp4netns-options.ts';

/** The uplink's interface. */
export const UPLINK = 'uplink';
const DNS_PORT = 53;
const IP_PKTINFO = 8;
const IPV6_RECVPKTINFO = 49;
const SOL_IP = 0;
const SOL_IPV6 = 41;
const FIRST_RULE = 100;

const actor = 'hub';
type Rest = Parameters<typeof call> extends [unknown, unknown, ...infer R] ? R : never;
const step = (why: string, ...rest: Rest): Step => call(actor, why, ...rest);

/** sockaddr_in or sockaddr_in6 of port 53 on all addresses. */
function anyAddress(ipv6: boolean): { memory: Memory; size: number } {
  const size = ipv6 ? 28 : 16;
  const port = new Uint8Array([0, DNS_PORT]);
  const family = { width: 2, value: ipv6 ? AF_INET6 : AF_INET } as const;
  return {
    memory: {
      fields: [family, { bytes: port }, { bytes: new Uint8Array(size - 4) }],
      say: `${ipv6 ? '[::]' : '0.0.0.0'}:${DNS_PORT}`,
    },
    size,
  };
}

/** @param ipv6 whether the kernel has IPv6: then the sockets serve both */
function dnsSockets(slots: Slots, ipv6: boolean): Step[] {
  const udp = slots.new('udp');
  const tcp = slots.new('tcp');
  const { memory, size } = anyAddress(ipv6);
  const family = ipv6 ? AF_INET6 : AF_INET;
  const on: Memory = { fields: [{ width: 4, value: 1 }], say: '1' };
  const [level, option] = ipv6 ? [SOL_IPV6, IPV6_RECVPKTINFO] : [SOL_IP, IP_PKTINFO];
  return [
    step('containers ask for names here', 'socket', [family, SOCK_DGRAM | SOCK_CLOEXEC, 0], { result: udp }),
    step('an answer comes from where its question went', 'setsockopt', [udp, level, option, on, 4]),
    step('all bridges, those to come too', 'bind', [udp, memory, size]),
    step('where the hub looks for it', 'dup3', [udp, hub.HUB_FD_UDP, O_CLOEXEC]),
    step('and here, for long answers', 'socket', [family, SOCK_STREAM | SOCK_CLOEXEC, 0], { result: tcp }),
    reuseAddress(actor, 'conversations that a killed hub has left do not matter', tcp, true),
    step('all bridges, those to come too', 'bind', [tcp, memory, size]),
    step('take conversations', 'listen', [tcp, 16]),
    step('where the hub looks for it', 'dup3', [tcp, hub.HUB_FD_TCP, O_CLOEXEC]),
  ];
}

/**
 * Makes the namespace.
 * @param ipv6 whether the kernel has IPv6
 * @param outward whether it has what outward/ takes
 * @param own the subnet of slirp4netns
 * @param isThere it is that of a hub that was killed, at HUB_FD_NETNS already: only the sockets in it are made
 */
export function hubNetworkProgram(
  ipv6: boolean,
  outward: boolean,
  isThere = false,
  own = UPLINK_SUBNET,
): Program {
  const slots = new Slots();
  const [pidfd, netns, route] = ['child', 'netns', 'route'].map((name) => slots.new(name)) as [
    Slot,
    Slot,
    Slot,
  ];
  const hold = [
    step('hold it by this', 'openat', [AT_FDCWD, '/proc/thread-self/ns/net', O_RDONLY | O_CLOEXEC, 0], {
      result: netns,
    }),
    step('where the hub looks for it', 'dup3', [netns, hub.HUB_FD_NETNS, O_CLOEXEC]),
  ];
  const child: Step[] = [
    op(actor, 'say which step failed', { kind: 'report', fd: hub.HUB_FD_REPORT }),
    ...(isThere
      ? [step('enter the namespace that its containers have kept', 'setns', [hub.HUB_FD_NETNS, CLONE_NEWNET])]
      : hold),
    routeSocket(actor, 'talk about links and routes in it', route),
    step('where the hub looks for it', 'dup3', [route, hub.HUB_FD_ROUTE, O_CLOEXEC]),
    ...(ipv6 ? forwardIpv6(slots) : []),
    ...dnsSockets(slots, ipv6),
    ...(outward ? outwardSockets(slots, ipv6, own) : []),
  ];
  const flags = CLONE_VM | CLONE_VFORK | CLONE_FILES | (isThere ? 0n : CLONE_NEWNET);
  return {
    slots,
    steps: [
      op(actor, `${isThere ? 'visit' : 'make'} the bridges’ network namespace, staying in the host’s`, {
        kind: 'clone',
        flags,
        exitSignal: SIGCHLD,
        pidfd,
        child,
      }),
      ...waitForSuccess(actor, 'it has been made', pidfd, slots),
      close(actor, 'it has been made', pidfd),
      ...(isThere ? [] : rules(slots, ipv6)),
    ],
  };
}

/**
 * A packet of IPv6 that no route leads on is answered, not dropped, only by who forwards packets. Between the bridges it does not: their subnets are
 * in a table of their own, as those of IPv4 are.
 */
const forwardIpv6 = (slots: Slots): Step[] =>
  writeFile(actor, slots, {
    path: '/proc/sys/net/ipv6/conf/all/forwarding',
    value: '1',
    why: 'containers are told at once what is not reached by IPv6',
    tolerate: { open: ['ENOENT', 'EACCES', 'EROFS'], write: ['EPERM', 'EACCES'] },
  });

function outwardSockets(slots: Slots, ipv6: boolean, own: Subnet): Step[] {
  const opened = outwardSlots(slots);
  const { queue, listener, datagrams, raw4, raw6 } = opened;
  const place = { uplink: UPLINK, own, ipv6 };
  const keep = (slot: Slot, fd: number): Step =>
    step('where the uplink’s program looks for it', 'dup3', [slot, fd, O_CLOEXEC]);
  return [
    ...openOutward(actor, slots, place, opened),
    keep(queue, hub.HUB_FD_QUEUE),
    keep(listener, hub.HUB_FD_OUTWARD),
    keep(datagrams, hub.HUB_FD_DATAGRAMS),
    keep(raw4, hub.HUB_FD_RAW4),
    ...(ipv6 ? [keep(raw6, hub.HUB_FD_RAW6)] : []),
  ];
}

/** As no uplink is, the hub answers for what is not on a bridge: IPv6 has no other way out than outward/. */
const rules = (slots: Slots, ipv6: boolean): Step[] =>
  exchange(actor, 'what may go where', slots, hub.HUB_FD_ROUTE, [
    incomingRule('lo', BRIDGES_TABLE, FIRST_RULE),
    incomingRule(UPLINK, BRIDGES_TABLE, FIRST_RULE + 1),
    linkUp('lo'),
    ...(ipv6 ? [incomingRule('lo', BRIDGES_TABLE, FIRST_RULE, AF_INET6), unreachable('::', 0)] : []),
  ]);

export interface UplinkOptions {
  /** slirp4netns's executable */
  path: string;
  openFiles: number;
  /** The network's directory in the runtime directory; the helper's working directory. */
  directory: string;
  /** Whether connections go by a way of their own (outward/). */
  outward: boolean;
  /** slirp4netns's own; UPLINK_SUBNET unless the host is in that. */
  subnet?: Subnet;
}

/** What the uplink's program opens in the hub, from HUB_SLOT_UPLINK on: the hub closes what is left of it when the uplink has ended. */
const UPLINK_DESCRIPTORS = [
  'uplink',
  'ready.r',
  'ready.w',
  'lifeline.r',
  'lifeline.w',
  'outward.r',
  'outward.w',
];
type UplinkSlots = [Slot, Slot, Slot, Slot, Slot, Slot, Slot];
/** Closes one of them: 0 in its slot says so. */
const done = (why: string, fd: Slot): Step => step(why, 'close', [fd], { result: fd });

/**
 * Starts the uplink, and lets it and the bridges pass packets to each other. Run again when it has died.
 * @param ipv6 as hubNetworkProgram() had it
 */
export function hubUplinkProgram(options: UplinkOptions, ipv6: boolean): Program {
  const { path, openFiles, directory, outward, subnet } = options;
  const slots = new Slots();
  const opened = UPLINK_DESCRIPTORS.map((name) => slots.new(name)) as UplinkSlots;
  const [pidfd, ready, written, lifeline, held, outwardReady, outwardWritten] = opened;
  const netns = `/proc/self/fd/${hub.HUB_FD_NETNS}`;
  const slirp = subnet ? inSubnet(DEFAULT_SLIRP_OPTIONS, subnet) : DEFAULT_SLIRP_OPTIONS;
  const argv = slirpArguments(slirp, netns, written, lifeline, undefined, UPLINK);
  return {
    slots,
    steps: [
      ...exchange(
        actor,
        'that of an earlier one, which is about to end',
        slots,
        hub.HUB_FD_ROUTE,
        [removeLink(UPLINK)],
        'ip',
        ['ENODEV'],
      ),
      pipe(actor, 'learn when slirp4netns is ready', ready, written, O_CLOEXEC | O_NONBLOCK),
      pipe(actor, 'slirp4netns ends when the hub’s end is closed', lifeline, held, O_CLOEXEC),
      startHelper({
        ...{ slots, name: 'slirp4netns', path, argv, stderr: hub.HUB_FD_LOG, openFiles, directory, pidfd },
        ...{ keep: [written, lifeline, hub.HUB_FD_NETNS], parent: 'hub' },
      }),
      done('only slirp4netns writes there', written),
      done('only slirp4netns watches it', lifeline),
      ...(outward ? startOutward(slots, { ...options, ipv6 }, held, outwardReady, outwardWritten) : []),
      waitForAny('slirp4netns is ready, or has ended', [ready, pidfd], actor),
      ...readExactly(slots, 'slirp4netns must be ready: it writes "1"', ready, 1, actor),
      done('it said what it had to say', ready),
      ...exchange(actor, 'what comes from outside reaches the containers', slots, hub.HUB_FD_ROUTE, [
        ipv4Settings(UPLINK, ['forwarding', 'proxy_arp']),
      ]),
      ...(outward ? readySteps('the way out for connections', outwardReady, slots) : []),
    ],
  };
}

/**
 * The other half of the uplink: connections, by the hub's binary itself. Each of the two ends when the other does: it has the other end of
 * slirp4netns's lifeline, and is the only one. The hub then starts both again.
 */
function startOutward(
  slots: Slots,
  { openFiles, directory, ipv6 }: UplinkOptions & { ipv6: boolean },
  lifeline: Slot,
  ready: Slot,
  written: Slot,
): Step[] {
  const self = slots.new('self');
  const given = [
    ...[written, lifeline, hub.HUB_FD_QUEUE, hub.HUB_FD_OUTWARD, hub.HUB_FD_DATAGRAMS, hub.HUB_FD_RAW4],
    ...(ipv6 ? [hub.HUB_FD_RAW6] : []),
  ];
  return [
    pipe(actor, 'learn when the way out for connections is ready', ready, written, O_CLOEXEC | O_NONBLOCK),
    startHelper({
      ...{ slots, name: 'tsrun-outward', path: self, stderr: hub.HUB_FD_LOG, openFiles, directory },
      argv: ['tsrun-outward', ...given.map((fd) => ({ text: [typeof fd === 'number' ? `${fd}` : fd] }))],
      ...{ keep: given, parent: 'hub' },
      before: [
        call('helper', 'the hub’s binary', 'openat', [AT_FDCWD, '/proc/self/exe', O_PATH | O_CLOEXEC, 0], {
          result: self,
        }),
        ...emptyRoot(),
      ],
    }),
    done('only tsrun-outward writes there', written),
    done('slirp4netns ends when tsrun-outward does', lifeline),
  ];
}

const readySteps = (what: string, ready: Slot, slots: Slots): Step[] => [
  waitForAny(`${what}: it is ready, or has ended`, [ready], actor),
  ...readExactly(slots, `${what} must be ready: it writes "1"`, ready, 1, actor),
  done('it said what it had to say', ready),
];
