/**
 * How the socket of a published port is made. `tsrun` makes it first (../claim-ports.ts), so that a port that is taken is known before
 * anything is pulled or made, and a random port belongs to the container from the moment it is chosen; the supervisor is given it with its
 * first start. When the supervisor starts the container again by itself, it makes the socket anew, by the same steps.
 *
 * TCP's is bound with SO_REUSEADDR, or connections of an earlier container that are in TIME_WAIT would keep the port for a minute; UDP's is not,
 * because there it would let two have the same port.
 *
 * A port without an address is published on all, IPv4 and IPv6: one IPv6 socket takes both. A client of one family reaches a service that
 * listens to the other only (native/forward/address.c), so that `curl localhost`, which tries ::1 first, is served.
 */
import { call } from '../../sys/calls.ts';
import { AF_INET, AF_INET6, SOCK_CLOEXEC, SOCK_DGRAM, SOCK_STREAM, SOL_SOCKET } from '../../sys/constants.ts';
import type { ErrnoName } from '../../sys/errno.ts';
import type { Actor, Memory, Slot, Step } from '../../sys/step.ts';
import type { PortMapping } from '../driver.ts';
import { isIpv4 } from '../ip-address.ts';
import { socketAddress } from './socket-address.ts';

const SO_REUSEADDR = 2;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;
/** As many as the kernel allows (net.core.somaxconn). */
export const BACKLOG = 4096;

/** Where a mapping's socket is bound. */
export interface Binding {
  /** `::` with `both`: IPv4 as well. */
  ip: string;
  both: boolean;
}

/** @param hasIpv6 whether the host knows IPv6 at all */
export function bindingOf(mapping: PortMapping, all: readonly PortMapping[], hasIpv6: boolean): Binding {
  const { hostIp, hostPort, protocol } = mapping;
  if (hostIp !== '') return { ip: hostIp, both: false };
  const separately = all.some(
    (other) => other.hostIp.includes(':') && other.hostPort === hostPort && other.protocol === protocol,
  );
  return hasIpv6 && !separately ? { ip: '::', both: true } : { ip: '0.0.0.0', both: false };
}

const integer = (value: number, say: string): Memory => ({ fields: [{ width: 4, value }], say });

/** SO_REUSEADDR (socket(7)) on or off. */
export const reuseAddress = (actor: Actor, why: string, socket: Slot, on: boolean): Step =>
  call(actor, why, 'setsockopt', [socket, SOL_SOCKET, SO_REUSEADDR, integer(on ? 1 : 0, on ? '1' : '0'), 4]);

/** `8080/tcp`, `127.0.0.1:5353/udp` for people. */
export function portName({ hostIp, hostPort, protocol }: PortMapping): string {
  const ip = hostIp.includes(':') ? `[${hostIp}]` : hostIp;
  return `${ip === '' ? '' : `${ip}:`}${hostPort}/${protocol}`;
}

/** @param tolerate errnos of bind(2) that are no failure */
export function makeSocket(
  actor: Actor,
  mapping: PortMapping,
  { ip, both }: Binding,
  socket: Slot,
  tolerate: readonly ErrnoName[] = [],
): Step[] {
  const tcp = mapping.protocol === 'tcp';
  const why = `publish ${portName(mapping)} as ${mapping.containerPort}`;
  const { memory, size } = socketAddress(ip, mapping.hostPort);
  const type = (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC;
  const set = (reason: string, level: number, option: number, value: Memory): Step =>
    call(actor, reason, 'setsockopt', [socket, level, option, value, 4]);
  return [
    call(actor, why, 'socket', [isIpv4(ip) ? AF_INET : AF_INET6, type, 0], { result: socket }),
    // For a random port it would be a hindrance: the kernel might choose one that another socket is bound to.
    ...(tcp && mapping.hostPort !== 0
      ? [reuseAddress(actor, 'old connections in TIME_WAIT do not matter', socket, true)]
      : []),
    ...(isIpv4(ip)
      ? []
      : [
          set(
            both ? 'it takes IPv4 as well' : 'IPv6 only',
            IPPROTO_IPV6,
            IPV6_V6ONLY,
            integer(both ? 0 : 1, both ? '0' : '1'),
          ),
        ]),
    call(actor, why, 'bind', [socket, memory, size], { tolerate }),
  ];
}
