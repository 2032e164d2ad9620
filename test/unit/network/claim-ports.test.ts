import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
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

describe('claimPorts', () => {
  it('chooses ports that are free afterwards, in the order given', async () => {
    const fixed = await claimPorts([mapping(0)]);
    const wanted = [
      mapping(0),
      mapping(0, { protocol: 'udp' }),
      mapping(fixed[0]?.hostPort ?? 0),
      mapping(0),
    ];
    const ports = await claimPorts(wanted);
    expect(ports[2]).toEqual(fixed[0]);
    expect(ports.map((port) => port.protocol)).toEqual(['tcp', 'udp', 'tcp', 'tcp']);
    expect(new Set([ports[0], ports[2], ports[3]].map((port) => port?.hostPort)).size).toBe(3);
    expect(ports.every((port) => port.hostPort >= 1024)).toBe(true);
    expect(await claimPorts(ports)).toEqual(ports);
  });

  it('names a port that is in use, and how to find who has it', async () => {
    await using server = await listening();
    await expect(claimPorts([mapping(server.port)])).rejects.toMatchObject({
      code: 'ERR_TSRUN_PORT_IN_USE',
      message: `cannot publish tcp port ${server.port} on 127.0.0.1: address already in use`,
      hint: expect.stringContaining(`ss -tlnp 'sport = :${server.port}'`),
    });
    await expect(claimPorts([mapping(server.port, { hostIp: '' })])).rejects.toMatchObject({
      code: 'ERR_TSRUN_PORT_IN_USE',
    });
    await expect(claimPorts([mapping(server.port, { protocol: 'udp' })])).resolves.toHaveLength(1);
    await expect(claimPorts([mapping(server.port, { hostIp: '127.0.0.2' })])).resolves.toHaveLength(1);
  });

  it('knows TCP and UDP apart', async () => {
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const { port } = socket.address();
    await expect(claimPorts([mapping(port, { protocol: 'udp' })])).rejects.toMatchObject({
      hint: expect.stringContaining('ss -ulnp'),
    });
    socket.close();
  });

  it('refuses a port that is given twice, and leaves nothing bound', async () => {
    const [port] = await claimPorts([mapping(0)]);
    const twice = [mapping(port?.hostPort ?? 0), mapping(port?.hostPort ?? 0, { containerPort: 81 })];
    await expect(claimPorts(twice)).rejects.toMatchObject({ code: 'ERR_TSRUN_PORT_IN_USE' });
    await expect(claimPorts(twice.slice(1))).resolves.toHaveLength(1);
  });

  it('refuses an address that is not of this machine', async () => {
    await expect(claimPorts([mapping(0, { hostIp: '192.0.2.99' })])).rejects.toMatchObject({
      code: 'ERR_TSRUN_PORT_ADDRESS',
    });
  });

  it.skipIf(!isRefused)('says what is needed for a low port', async () => {
    await expect(claimPorts([mapping(80, { hostIp: '' })])).rejects.toMatchObject({
      code: 'ERR_TSRUN_PORT_LOW',
      message: expect.stringContaining(`port 80: an ordinary user may listen on ${start} and above`),
      hint: `publish a higher port: -p 8080:80; or let every user of this machine have it: sudo sysctl net.ipv4.ip_unprivileged_port_start=80`,
    });
    await expect(claimPorts([mapping(53, { protocol: 'udp', containerPort: 53 })])).rejects.toMatchObject({
      hint: expect.stringContaining('-p 127.0.0.1:8053:53/udp'),
    });
  });

  it('publishes nothing for a driver that cannot', async () => {
    expect(await claimPorts([mapping(0)], 'none')).toEqual([]);
  });
});
