/** What native/forward/outward.c is given of the bridges' network namespace: its queue and its listening socket. */
import { call } from '../../sys/calls.ts';
import {
  AF_INET,
  AT_FDCWD,
  O_CLOEXEC,
  O_WRONLY,
  SOCK_CLOEXEC,
  SOCK_RAW,
  SOCK_STREAM,
} from '../../sys/constants.ts';
import type { Actor, Slot, Slots, Step } from '../../sys/step.ts';
import { socketAddress } from '../forward/socket-address.ts';
import type { Subnet } from '../ip-address.ts';
import { exchange } from '../netlink.ts';
import { LISTENING_PORT, outwardRules, queueHere } from './rules.ts';

const AF_NETLINK = 16;
const NETLINK_NETFILTER = 12;
/** As many as the kernel allows (net.core.somaxconn). */
const BACKLOG = 4096;
/** There if br_netfilter is loaded, as docker does; with it each frame of a bridge would be looked at. It changes nothing else. */
const BRIDGE_RULES = '/proc/sys/net/bridge/bridge-nf-call-iptables';
const NO_SETTING = ['EBADF', 'EPERM', 'EACCES'] as const;

export interface OutwardPlace {
  /** Name of the uplink's interface. */
  uplink: string;
  /** The subnet in which the uplink answers itself. */
  own: Subnet;
}

/** Steps of a process in the namespace. `queue` and `listener` receive the sockets. */
export function openOutward(
  actor: Actor,
  slots: Slots,
  { uplink, own }: OutwardPlace,
  queue: Slot,
  listener: Slot,
): Step[] {
  const { memory, size } = socketAddress('0.0.0.0', LISTENING_PORT);
  const setting = slots.new('sysctl');
  const step = (why: string, ...rest: Rest): Step => call(actor, why, ...rest);
  return [
    step(
      'frames between containers pass no rules',
      'openat',
      [AT_FDCWD, BRIDGE_RULES, O_WRONLY | O_CLOEXEC, 0],
      {
        result: setting,
        tolerate: ['ENOENT', 'EACCES', 'EROFS'],
      },
    ),
    step('net.bridge.bridge-nf-call-iptables = 0', 'write', [setting, '0', 1], { tolerate: NO_SETTING }),
    step('set', 'close', [setting], { tolerate: ['EBADF'] }),
    step('talk about packets there', 'socket', [AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER], {
      result: queue,
    }),
    ...exchange(actor, 'requests for connections wait here', slots, queue, [queueHere()], 'nfqueue'),
    step('connections to the outside are taken here', 'socket', [AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0], {
      result: listener,
    }),
    step('where the rules lead to', 'bind', [listener, memory, size]),
    step('take connections', 'listen', [listener, BACKLOG]),
    ...exchange(actor, 'which packets are taken', slots, queue, outwardRules(uplink, own), 'nft'),
  ];
}

type Rest = Parameters<typeof call> extends [unknown, unknown, ...infer R] ? R : never;
