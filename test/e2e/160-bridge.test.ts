/**
 * The default bridge, as a user meets it: containers have addresses and names of their own, find each other, and leave nothing behind,
 * whatever is killed.
 */
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterAll, describe, expect, it } from 'vitest';
import { containerPids, isRunning } from '../support/container-processes.ts';
import { untilServed } from '../support/http.ts';
import { hubsOf, uplinkOf } from '../support/hub-processes.ts';
import { useTsrun } from '../support/tsrun.ts';
import { until } from '../support/until.ts';

const tsrun = useTsrun();
const IMAGE = 'localhost/busybox';

const bridged = (...words: string[]): Promise<string> =>
  tsrun.ok('run', '--rm', '--network', 'bridge', ...words);
const detached = (name: string, ...words: string[]): Promise<string> =>
  tsrun.ok('run', '-d', '--network', 'bridge', '--name', name, ...words);
const addressOf = (name: string): Promise<string> =>
  tsrun.ok('inspect', '-f', '{{.NetworkSettings.IPAddress}}', name);

/** What `name` serves at /etc/hostname, by its address: HTTP by nc(1). */
const fetchFrom = (address: string, path = '/hostname'): string[] => [
  IMAGE,
  'sh',
  '-c',
  `printf 'GET ${path} HTTP/1.0\\r\\n\\r\\n' | nc -w 5 ${address} 80`,
];
const SERVE = [IMAGE, 'httpd', '-f', '-p', '80', '-h', '/etc'];

async function hubOf(): Promise<{ hub: number; uplink: number }> {
  const hub = await until('the hub runs', () => hubsOf(tsrun)[0]);
  return { hub, uplink: uplinkOf(hub) ?? 0 };
}

describe('two containers', () => {
  it('have addresses of their own, by which they reach each other', async () => {
    await detached('server', ...SERVE);
    await untilServed(tsrun, 'server');
    const address = await addressOf('server');
    expect(address).toMatch(/^10\.9\d\.\d+\.\d+$/);
    expect(await bridged(...fetchFrom(address))).toContain((await tsrun.ok('ps', '-q')).trim());
    const own = await bridged(IMAGE, 'ip', '-4', '-o', 'address', 'show', 'eth0');
    expect(own).not.toContain(`${address}/`);
  });

  // Nothing of TCP that they send leaves this machine as it is (docs/network.md); the host's may be one that keeps a pace, as bbr.
  it('send by the plainest congestion control, if they are not given another', async () => {
    const NAME = 'net.ipv4.tcp_congestion_control';
    expect(await bridged(IMAGE, 'sysctl', '-n', NAME)).toBe('reno');
    const host = readFileSync(`/proc/sys/${NAME.replaceAll('.', '/')}`, 'utf8').trim();
    expect(await bridged('--sysctl', `${NAME}=${host}`, IMAGE, 'sysctl', '-n', NAME)).toBe(host);
  });

  it('find each other by name, short id, alias and address', async () => {
    const address = await addressOf('server');
    const id = (await tsrun.ok('ps', '-q')).trim();
    await detached('db', '--network-alias', 'sql', ...SERVE);
    const sql = await addressOf('db');
    expect(await bridged(IMAGE, 'nslookup', 'server')).toContain(`Address: ${address}\n`);
    expect(await bridged(IMAGE, 'nslookup', id)).toContain(`Address: ${address}\n`);
    expect(await bridged(IMAGE, 'nslookup', 'sql')).toContain(`Address: ${sql}\n`);
    expect(await bridged(IMAGE, 'nslookup', address)).toContain('name = server');
  });

  it('forget a name with its container', async () => {
    await tsrun.ok('rm', '-f', 'db');
    const { status, stdout } = await tsrun.run([
      'run',
      '--rm',
      '--network',
      'bridge',
      IMAGE,
      'nslookup',
      'db.dns.tsrun',
    ]);
    expect(stdout).toContain('NXDOMAIN');
    expect(status).toBe(1);
  });

  it('show in inspect what they have', async () => {
    const [record] = JSON.parse(await tsrun.ok('inspect', 'server')) as [
      { NetworkSettings: Record<string, unknown> },
    ];
    expect(record.NetworkSettings).toMatchObject({
      IPAddress: await addressOf('server'),
      IPPrefixLen: 24,
      Networks: {
        bridge: { IPAddress: await addressOf('server'), MacAddress: expect.stringMatching(/^02:42:/) },
      },
    });
  });

  it('may ask for an address, which nobody else can have then', async () => {
    const address = await addressOf('server');
    const { stderr } = await tsrun.expect(125, [
      'run',
      '--rm',
      '--network',
      'bridge',
      '--ip',
      address,
      IMAGE,
      'true',
    ]);
    expect(stderr).toContain(`cannot have the address ${address}`);
    const free = address.replace(/\d+$/, '200');
    const said = await bridged(
      '--ip',
      free,
      '--mac-address',
      '02:00:00:00:00:99',
      IMAGE,
      'ip',
      'address',
      'show',
      'eth0',
    );
    expect(said).toContain(`inet ${free}/24`);
    expect(said).toContain('02:00:00:00:00:99');
    expect(said).toContain('mtu 65520');
  });

  it('is refused an address elsewhere', async () => {
    const { stderr } = await tsrun.expect(125, [
      'run',
      '--rm',
      '--network',
      'bridge',
      '--ip',
      '192.0.2.9',
      IMAGE,
      'true',
    ]);
    expect(stderr).toContain('it is not in 10.');
  });
});

describe('the way out', () => {
  const [outside] = Object.values(networkInterfaces())
    .flatMap((infos) => infos ?? [])
    .filter((info) => info.family === 'IPv4' && !info.internal);
  let server: Server | undefined;
  afterAll(() => void server?.close());

  const listen = async (address: string): Promise<number> => {
    server = createServer((socket) => void socket.end('from outside\n')).listen(0, address);
    await new Promise((resolve) => server?.once('listening', resolve));
    return (server.address() as { port: number }).port;
  };

  it.skipIf(!outside)('leads to the host by its address, which host.containers.internal is', async () => {
    const port = await listen('0.0.0.0');
    const script = `nc -w 5 $(grep host.containers.internal /etc/hosts | cut -d' ' -f1) ${port}`;
    expect(await bridged(IMAGE, 'sh', '-c', script)).toBe('from outside');
  });

  it('does not lead to the loopback of the host, by whatever address (AC-3.5)', async () => {
    server?.close();
    const port = await listen('127.0.0.1');
    const script = `for a in 127.0.0.1 10.0.2.2 $(ip route | grep -o 'via [0-9.]*' | cut -d' ' -f2); do nc -w 2 $a ${port} && echo reached $a; done; echo done`;
    expect(await bridged(IMAGE, 'sh', '-c', script)).toBe('done');
  });
});

describe('a published port', () => {
  it('leads to the container on the bridge', async () => {
    await tsrun.ok(
      'run',
      '-d',
      '--network',
      'bridge',
      '--name',
      'published',
      '-p',
      '127.0.0.1::80',
      ...SERVE,
    );
    await untilServed(tsrun, 'published');
    const port = (await tsrun.ok('port', 'published', '80')).split(':').at(-1);
    const page = await (await fetch(`http://127.0.0.1:${port}/hostname`)).text();
    expect(page.trim()).toBe((await tsrun.ok('ps', '-q', '--filter', 'name=published')).trim());
    expect(await bridged(...fetchFrom(await addressOf('published')))).toContain(page.trim());
    const keeps = await tsrun.ok('inspect', '-f', '{{.NetworkSettings.KeepsClientAddresses}}', 'published');
    expect(keeps).toBe('true');
    await tsrun.ok('rm', '-f', 'published');
  });
});

describe('what is killed', () => {
  it('is all gone with the last container', async () => {
    await tsrun.ok('rm', '-f', 'server');
    await until('the hub ends', () => hubsOf(tsrun).length === 0);
  });

  it.each(['hub', 'uplink', 'supervisor', 'init'] as const)('the %s leaves nothing', async (victim) => {
    await detached('victim', IMAGE, 'sleep', '1000');
    const pids = { ...(await containerPids(tsrun, 'victim')), ...(await hubOf()) };
    expect(
      Object.values(pids).every((pid) => pid > 0),
      JSON.stringify(pids),
    ).toBe(true);
    process.kill(pids[victim], 'SIGKILL');
    // What is left works, or another takes its place.
    expect(await bridged(IMAGE, 'echo', 'next')).toBe('next');
    await tsrun.ok('rm', '-f', 'victim');
    await until('the hub ends', () => hubsOf(tsrun).length === 0);
    await until('all have ended', () => Object.values(pids).every((pid) => !isRunning(pid)));
  });

  it('all of it at once leaves nothing', async () => {
    await detached('victim', IMAGE, 'sleep', '1000');
    const pids = { ...(await containerPids(tsrun, 'victim')), ...(await hubOf()) };
    for (const pid of Object.values(pids)) process.kill(pid, 'SIGKILL');
    await until('all have ended', () => Object.values(pids).every((pid) => !isRunning(pid)));
    expect(await bridged(IMAGE, 'echo', 'again')).toBe('again');
    await tsrun.ok('rm', '-f', 'victim');
    await until('the hub ends', () => hubsOf(tsrun).length === 0);
  });
});
