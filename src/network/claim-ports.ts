/**
 * Host ports are checked, and chosen, by really binding them, before anything is pulled or made. A moment later the container's helper
 * binds them again; if somebody else was faster then, that start fails and says so.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tsrunError } from '../errors.ts';
import type { PortMapping, Publishing } from './driver.ts';

/** Releases a bound port. */
type Bound = { port: number; release: () => Promise<void> };

/** The first port that an ordinary user may listen on (ip-sysctl.rst). */
function unprivilegedPortStart(): number {
  try {
    return Number.parseInt(readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8'), 10);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 1024; // Linux before 4.11
    throw error;
  }
}

async function bindTcp(address: string, port: number): Promise<Bound> {
  const server = createServer();
  server.listen({ host: address, port, exclusive: true, ipv6Only: address.includes(':') });
  await once(server, 'listening');
  const bound = server.address();
  return {
    port: typeof bound === 'object' && bound ? bound.port : port,
    release: async () => {
      server.close();
      await once(server, 'close');
    },
  };
}

async function bindUdp(address: string, port: number): Promise<Bound> {
  const isIpv6 = address.includes(':');
  const socket = createSocket({ type: isIpv6 ? 'udp6' : 'udp4', ipv6Only: isIpv6 });
  socket.bind({ address, port, exclusive: true });
  try {
    await once(socket, 'listening');
  } catch (error) {
    socket.close();
    throw error;
  }
  return {
    port: socket.address().port,
    release: async () => {
      socket.close();
      await once(socket, 'close');
    },
  };
}

/** Binds the host port of `mapping`, 0 = any. */
async function claim(mapping: PortMapping): Promise<Bound> {
  const { hostIp, hostPort, protocol } = mapping;
  try {
    return await (protocol === 'tcp' ? bindTcp : bindUdp)(hostIp === '' ? '0.0.0.0' : hostIp, hostPort);
  } catch (error) {
    throw explain(mapping, error);
  }
}

function explain(mapping: PortMapping, error: unknown): unknown {
  const { hostIp, hostPort: port, containerPort, protocol } = mapping;
  const address = hostIp === '' ? '0.0.0.0' : hostIp;
  switch ((error as NodeJS.ErrnoException).code) {
    case 'EADDRINUSE':
      return tsrunError('ERR_TSRUN_PORT_IN_USE', { address, port, protocol }, error);
    case 'EACCES': {
      const prefix = hostIp === '' ? '' : hostIp.includes(':') ? `[${hostIp}]:` : `${hostIp}:`;
      const suffix = protocol === 'tcp' ? '' : `/${protocol}`;
      const alternative = `${prefix}${8000 + (port % 1000)}:${containerPort}${suffix}`;
      return tsrunError('ERR_TSRUN_PORT_LOW', { port, start: unprivilegedPortStart(), alternative }, error);
    }
    case 'EADDRNOTAVAIL':
    case 'EAFNOSUPPORT':
      return tsrunError('ERR_TSRUN_PORT_ADDRESS', { address, port, protocol }, error);
    default:
      return error;
  }
}

/**
 * Checks that all ports can be bound and chooses those that are 0. Fixed ports come first, so that none is chosen by chance.
 *
 * @returns the mappings with every host port set, in the order given; none for a driver that publishes none
 * @throws ERR_TSRUN_PORT_LOW, ERR_TSRUN_PORT_IN_USE (also for a port given twice), ERR_TSRUN_PORT_ADDRESS
 */
export async function claimPorts(
  ports: readonly PortMapping[],
  publishing: Publishing = 'ipv4+ipv6',
): Promise<PortMapping[]> {
  if (publishing === 'none') return [];
  const bound = new Map<PortMapping, Bound>();
  try {
    for (const mapping of ports.toSorted((a, b) => Number(a.hostPort === 0) - Number(b.hostPort === 0))) {
      bound.set(mapping, await claim(mapping));
    }
    return ports.map((mapping) => ({ ...mapping, hostPort: bound.get(mapping)?.port ?? mapping.hostPort }));
  } finally {
    await Promise.all([...bound.values()].map((one) => one.release()));
  }
}
