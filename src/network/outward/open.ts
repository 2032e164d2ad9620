/** What native/forward/outward.c is given of the bridges' network namespace: its queues, its listening socket, and raw ones. */
import { call, writeFile } from '../../sys/calls.ts';
import { AF_INET, AF_INET6, AF_NETLINK, SOCK_CLOEXEC, SOCK_RAW, SOCK_STREAM } from '../../sys/constants.ts';
import type { Actor, Slot, Slots, Step } from '../../sys/step.ts';
import { reuseAddress } from '../forward/listening-socket.ts';
import { socketAddress } from '../forward/socket-address.ts';
import type { Subnet } from '../ip-address.ts';
import { exchange } from '../netlink.ts';
import { LISTENING_PORT, outwardRules, outwardRulesOfIpv6, QUEUE, queueHere } from './rules.ts';

const NETLINK_NETFILTER = 12;
const IPPROTO_RAW = 255;
/** As many as the kernel allows (net.core.somaxconn). */
const BACKLOG = 4096;
/** There if br_netfilter is loaded, as docker does; with it each frame of a bridge would be looked at. It changes nothing else. */
const BRIDGE_RULES = '/proc/sys/net/bridge/bridge-nf-call-iptables';

/** A kernel without what the rules of IPv6 take: its containers are told that nothing is reached by it. */
const IPV6_IS_NOT_THERE = ['ENOENT', 'EOPNOTSUPP', 'EAFNOSUPPORT'] as const;

export interface OutwardPlace {
  /** Name of the uplink's interface. */
  uplink: string;
  /** The subnet in which the uplink answers itself. */
  own: Subnet;
  /** Whether the kernel has IPv6: then connections and datagrams of both families are taken. */
  ipv6: boolean;
}

/** What receives the sockets. */
export interface OutwardSlots {
  queue: Slot;
  listener: Slot;
  datagrams: Slot;
  raw4: Slot;
  /** With IPv6. */
  raw6: Slot;
}

export const outwardSlots = (slots: Slots): OutwardSlots => ({
  queue: slots.new('queue'),
  listener: slots.new('outward'),
  datagrams: slots.new('datagrams'),
  raw4: slots.new('raw4'),
  raw6: slots.new('raw6'),
});

/** Steps of a process in the namespace. */
export function openOutward(
  actor: Actor,
  slots: Slots,
  { uplink, own, ipv6 }: OutwardPlace,
  { queue, listener, datagrams, raw4, raw6 }: OutwardSlots,
): Step[] {
  const { memory, size } = socketAddress(ipv6 ? '::' : '0.0.0.0', LISTENING_PORT);
  const step = (why: string, ...rest: Rest): Step => call(actor, why, ...rest);
  return [
    ...writeFile(actor, slots, {
      path: BRIDGE_RULES,
      value: '0',
      why: 'frames between containers pass no rules',
      tolerate: { open: ['ENOENT', 'EACCES', 'EROFS'], write: ['EPERM', 'EACCES'] },
    }),
    step('talk about packets there', 'socket', [AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER], {
      result: queue,
    }),
    ...exchange(
      actor,
      'requests for connections wait here',
      slots,
      queue,
      [queueHere(QUEUE.requests)],
      'nfqueue',
    ),
    step(
      'connections to the outside are taken here',
      'socket',
      [ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0],
      {
        result: listener,
      },
    ),
    reuseAddress(actor, 'connections that a killed hub has left do not matter', listener, true),
    step('where the rules lead to', 'bind', [listener, memory, size]),
    step('take connections', 'listen', [listener, BACKLOG]),
    step('talk about packets there', 'socket', [AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER], {
      result: datagrams,
    }),
    ...exchange(actor, 'datagrams wait here', slots, datagrams, [queueHere(QUEUE.datagrams)], 'nfqueue'),
    step('answers are written by this', 'socket', [AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW], {
      result: raw4,
    }),
    ...exchange(actor, 'which packets are taken', slots, queue, outwardRules(uplink, own), 'nft'),
    ...(ipv6
      ? [
          step('those of IPv6 by this', 'socket', [AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW], {
            result: raw6,
          }),
          ...exchange(actor, 'and of IPv6', slots, queue, outwardRulesOfIpv6(), 'nft', IPV6_IS_NOT_THERE),
        ]
      : []),
  ];
}

type Rest = Parameters<typeof call> extends [unknown, unknown, ...infer R] ? R : never;
