/**
 * Host ports are checked, and chosen, by really binding them, before anything is pulled or made. A driver that is given sockets gets these
 * very sockets, so nobody can be faster; for the others they are released, the container's helper binds them again a moment later,
 * and if somebody else was faster then, that start fails and says so.
 *
 * TCP's are tried by listen(2) too, as bind(2) alone lets two sockets with SO_REUSEADDR have one port, and go back to being merely bound: a
 * client that comes before the container starts is refused, and does not wait in a queue that nobody serves yet. Without SO_REUSEADDR from
 * then on, nobody else can bind the port either.
 */
import { closeSync, readFileSync, statSync } from 'node:fs';
import { TsrunError, tsrunError } from '../errors.ts';
import { call } from '../sys/calls.ts';
import { SHUT_RDWR } from '../sys/constants.ts';
import { ERRNO, type ErrnoName } from '../sys/errno.ts';
import { nativeRunner, SyscallFailure } from '../sys/run.ts';
import { type Slot, Slots, type Step } from '../sys/step.ts';
import type { PortMapping, Publishing } from './driver.ts';
import { type Binding, bindingOf, makeSocket, portName, reuseAddress } from './forward/listening-socket.ts';
import { portOf } from './forward/socket-address.ts';
import { portHolder } from './port-holder.ts';

/** Ports that are ours from now on. */
export interface PortClaim extends Disposable {
  /** With every host port set, in the order given. */
  ports: PortMapping[];
  /** Their bound sockets, for the supervisor; none for a driver that binds by itself. */
  sockets: readonly number[];
}

/** The first port that an ordinary user may listen on (ip-sysctl.rst). */
function unprivilegedPortStart(): number {
  try {
    return Number.parseInt(readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8'), 10);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 1024; // Linux before 4.11
    throw error;
  }
}

/** Whether the kernel has IPv6 at all; its addresses do not matter. */
export const hostHasIpv6 = (): boolean =>
  statSync('/proc/net/if_inet6', { throwIfNoEntry: false }) !== undefined;

/**
 * Steps that leave the bound socket in `socket`, and the number of its port in `name`. The socket stays at the number that it gets: a higher one
 * would make the kernel enlarge this process's table of descriptors, and wait 10 ms and more until no thread of ours can see the old one.
 */
function claimSteps(mapping: PortMapping, binding: Binding, slots: Slots): ClaimProgram {
  const [socket, name] = [slots.new('socket'), slots.new('name')];
  const why = `hold ${portName(mapping)}`;
  const address = {
    fields: [{ width: 4, into: name } as const, { bytes: new Uint8Array(24) }],
    say: 'address',
  };
  const length = { fields: [{ width: 4, value: 28 } as const], say: '28' };
  const listens = [
    call('user', why, 'listen', [socket, 1]),
    reuseAddress('user', 'nobody else may bind it now', socket, false),
    call('user', 'not before the container does', 'shutdown', [socket, SHUT_RDWR]),
  ];
  const steps = [
    ...makeSocket('user', mapping, binding, socket),
    ...(mapping.protocol === 'tcp' && mapping.hostPort !== 0 ? listens : []),
    call('user', why, 'getsockname', [socket, address, length]),
  ];
  return { slots, steps, socket, name };
}

interface ClaimProgram {
  slots: Slots;
  steps: Step[];
  socket: Slot;
  name: Slot;
}

/** Binds the host port of `mapping`, 0 = any. @returns the port and the socket */
function claim(
  mapping: PortMapping,
  binding: Binding,
  all: readonly PortMapping[],
): { port: number; socket: number } {
  const program = claimSteps(mapping, binding, new Slots());
  try {
    const results = nativeRunner.run(program);
    return { port: portOf(results(program.name)), socket: results(program.socket) };
  } catch (error) {
    if (!(error instanceof SyscallFailure)) throw error;
    const socket = error.results(program.socket);
    if (socket >= 0) closeSync(socket);
    throw explain(mapping, error, all);
  }
}

/** The first port of the mapping's range that is free. @param all -p of the container. @throws what the last one's claim throws */
function claimFirstFree(
  mapping: PortMapping,
  binding: Binding,
  all: readonly PortMapping[],
): { port: number; socket: number } {
  const { hostPort, lastHostPort = hostPort } = mapping;
  for (let port = hostPort; ; port++) {
    try {
      return claim({ ...mapping, hostPort: port }, binding, all);
    } catch (error) {
      const isTaken = error instanceof TsrunError && error.code === 'ERR_TSRUN_PORT_IN_USE';
      if (!isTaken || port >= lastHostPort) throw error;
    }
  }
}

/** Whoever has a port there has it on all addresses of a version, or of both. */
const EVERYWHERE = ['', '0.0.0.0', '::'];

/** Another -p of the same container that has the port. */
function twin({ hostIp, hostPort, containerPort, protocol }: PortMapping, all: readonly PortMapping[]) {
  const other = all.find(
    (each) =>
      each.hostPort === hostPort &&
      each.protocol === protocol &&
      (each.containerPort !== containerPort || each.hostIp !== hostIp) &&
      (each.hostIp === hostIp || [each.hostIp, hostIp].some((ip) => EVERYWHERE.includes(ip))),
  );
  return other && `-p ${portName(other).replace(/\/.*/, '')}:${other.containerPort} of the same container`;
}

function explain(mapping: PortMapping, error: SyscallFailure, all: readonly PortMapping[]): unknown {
  const { hostIp, hostPort: port, containerPort, protocol } = mapping;
  const address = hostIp === '' ? '0.0.0.0' : hostIp;
  const is = (...names: ErrnoName[]): boolean => names.some((name) => ERRNO[name] === error.errno);
  if (is('EADDRINUSE')) {
    const holder = port === 0 ? undefined : (twin(mapping, all) ?? portHolder(mapping));
    return tsrunError('ERR_TSRUN_PORT_IN_USE', { address, port, protocol, holder }, error);
  }
  if (is('EACCES')) {
    const prefix = hostIp === '' ? '' : hostIp.includes(':') ? `[${hostIp}]:` : `${hostIp}:`;
    const suffix = protocol === 'tcp' ? '' : `/${protocol}`;
    const alternative = `${prefix}${8000 + (port % 1000)}:${containerPort}${suffix}`;
    return tsrunError('ERR_TSRUN_PORT_LOW', { port, start: unprivilegedPortStart(), alternative }, error);
  }
  if (is('EADDRNOTAVAIL', 'EAFNOSUPPORT')) {
    return tsrunError('ERR_TSRUN_PORT_ADDRESS', { address, port, protocol }, error);
  }
  return error;
}

/**
 * Holds all ports, and chooses those that are 0. Fixed ports come first, so that none is chosen by chance.
 *
 * @throws ERR_TSRUN_PORT_LOW, ERR_TSRUN_PORT_IN_USE (also for a port given twice), ERR_TSRUN_PORT_ADDRESS
 */
export function claimPorts(ports: readonly PortMapping[], publishing: Publishing = 'ipv4+ipv6'): PortClaim {
  if (publishing === 'none' || ports.length === 0)
    return { ports: [], sockets: [], [Symbol.dispose]: () => {} };
  const bound = new Map<PortMapping, { port: number; socket: number }>();
  const release = (): void => {
    for (const { socket } of bound.values()) closeSync(socket);
    bound.clear();
  };
  const hasIpv6 = publishing === 'sockets' && hostHasIpv6();
  try {
    for (const mapping of ports.toSorted((a, b) => Number(a.hostPort === 0) - Number(b.hostPort === 0))) {
      bound.set(mapping, claimFirstFree(mapping, bindingOf(mapping, ports, hasIpv6), ports));
    }
  } catch (error) {
    release();
    throw error;
  }
  const claimed = ports.map((mapping) => bound.get(mapping));
  const chosen = ports.map(({ lastHostPort: _, ...mapping }, i) => ({
    ...mapping,
    hostPort: claimed[i]?.port ?? mapping.hostPort,
  }));
  if (publishing !== 'sockets') release();
  const sockets = publishing === 'sockets' ? claimed.map((one) => one?.socket ?? -1) : [];
  return { ports: chosen, sockets, [Symbol.dispose]: release };
}
