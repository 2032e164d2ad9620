import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { claimPorts } from '../../../src/network/claim-ports.ts';
import type { PortMapping } from '../../../src/network/driver.ts';

const mapping = (hostPort: number, rest: Partial<PortMapping> = {}): PortMapping => ({
  hostIp: '127.0.0.1',
  hostPort,
  containerPort: 80,
  protocol: 'tcp',
  ...rest,
});

async function listening(): Promise<{ port: number } & AsyncDisposable> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      server.close();
      await once(server, 'close');
    },
  };
}

const start = Number(readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8'));
/** Root, and users of machines where all ports are free, are refused nothing. */
const isRefused = process.getuid?.() !== 0 && start > 80;

/** Claims, and lets go at once. */
function claimed(...ports: PortMapping[]): PortMapping[] {
  using claim = claimPorts(ports);
  return claim.ports;
}

const error = (...ports: PortMapping[]): unknown => {
  try {
    return claimed(...ports);
  } catch (thrown) {
    return thrown;
  }
};

describe('claimPorts', () => {
  it('chooses ports that are free afterwards, in the order given', () => {
    const [fixed] = claimed(mapping(0));
    const wanted = [mapping(0), mapping(0, { protocol: 'udp' }), mapping(fixed?.hostPort ?? 0), mapping(0)];
    const ports = claimed(...wanted);
    expect(ports[2]).toEqual(fixed);
    expect(ports.map((port) => port.protocol)).toEqual(['tcp', 'udp', 'tcp', 'tcp']);
    expect(new Set([ports[0], ports[2], ports[3]].map((port) => port?.hostPort)).size).toBe(3);
    expect(ports.every((port) => port.hostPort >= 1024)).toBe(true);
    expect(claimed(...ports)).toEqual(ports);
  });

  it('names a port that is in use, and how to find who has it', async () => {
    await using server = await listening();
    expect(error(mapping(server.port))).toMatchObject({
      code: 'ERR_TSRUN_PORT_IN_USE',
      message: `cannot publish tcp port ${server.port} on 127.0.0.1: address already in use by ${readFileSync('/proc/self/comm', 'utf8').trim()} (process ${process.pid})`,
      hint: expect.stringContaining(`ss -tlnp 'sport = :${server.port}'`),
    });
    expect(error(mapping(server.port, { hostIp: '' }))).toMatchObject({ code: 'ERR_TSRUN_PORT_IN_USE' });
    expect(claimed(mapping(server.port, { protocol: 'udp' }))).toHaveLength(1);
    expect(claimed(mapping(server.port, { hostIp: '127.0.0.2' }))).toHaveLength(1);
  });

  it('knows TCP and UDP apart', async () => {
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const { port } = socket.address();
    expect(error(mapping(port, { protocol: 'udp' }))).toMatchObject({
      hint: expect.stringContaining('ss -ulnp'),
    });
    socket.close();
  });

  it('refuses a port that is given twice, and leaves nothing bound', () => {
    for (const protocol of ['tcp', 'udp'] as const) {
      const [port] = claimed(mapping(0, { protocol }));
      const twice = [81, 82].map((containerPort) =>
        mapping(port?.hostPort ?? 0, { protocol, containerPort }),
      );
      expect(error(...twice)).toMatchObject({ code: 'ERR_TSRUN_PORT_IN_USE' });
      expect(claimed(...twice.slice(1))).toHaveLength(1);
    }
  });

  // A server that sets SO_REUSEADDR, as nearly all do, could otherwise bind beside us between the claim and the container's start.
  it('keeps a port from others, and refuses its clients, until it is released', async () => {
    const claim = claimPorts([mapping(0), mapping(0, { hostIp: '' })], 'sockets');
    expect(claim.sockets).toHaveLength(2);
    // At a number beyond its table of descriptors the kernel makes a process with threads wait, 16 ms of each start with a port once.
    expect(Math.max(...claim.sockets)).toBeLessThan(256);
    for (const { hostPort } of claim.ports) {
      const fixed = createServer().listen(hostPort, '127.0.0.1');
      expect((await once(fixed, 'error'))[0]).toMatchObject({ code: 'EADDRINUSE' });
      const client = connect(hostPort, '127.0.0.1');
      expect((await once(client, 'error'))[0]).toMatchObject({ code: 'ECONNREFUSED' });
      expect(error(mapping(hostPort))).toMatchObject({ code: 'ERR_TSRUN_PORT_IN_USE' });
    }
    claim[Symbol.dispose]();
    const again = claimPorts(claim.ports, 'sockets');
    expect(error(...claim.ports)).toMatchObject({ code: 'ERR_TSRUN_PORT_IN_USE' });
    again[Symbol.dispose]();
    expect(claimed(...claim.ports)).toEqual(claim.ports);
  });

  it('refuses an address that is not of this machine', () => {
    expect(error(mapping(0, { hostIp: '192.0.2.99' }))).toMatchObject({ code: 'ERR_TSRUN_PORT_ADDRESS' });
  });

  it.skipIf(!isRefused)('says what is needed for a low port', () => {
    expect(error(mapping(80, { hostIp: '' }))).toMatchObject({
      code: 'ERR_TSRUN_PORT_LOW',
      message: expect.stringContaining(`port 80: an ordinary user may listen on ${start} and above`),
      hint: `publish a higher port: -p 8080:80; or let every user of this machine have it: sudo sysctl net.ipv4.ip_unprivileged_port_start=80`,
    });
    expect(error(mapping(53, { protocol: 'udp', containerPort: 53 }))).toMatchObject({
      hint: expect.stringContaining('-p 127.0.0.1:8053:53/udp'),
    });
  });

  it('publishes nothing for a driver that cannot', () => {
    expect(claimPorts([mapping(0)], 'none')).toMatchObject({ ports: [], sockets: [] });
  });
});
