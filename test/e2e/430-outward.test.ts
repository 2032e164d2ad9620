/**
 * Connections and datagrams of containers on bridges to the outside, which do not go through slirp4netns (native/forward/outward.c): a client is told
 * what its target says, bytes and ends are passed on, and what is closed to containers stays closed.
 */
import { createHash } from 'node:crypto';
import { createSocket, type RemoteInfo } from 'node:dgram';
import { readdirSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterEach, describe, expect, it } from 'vitest';
import { isRunning, kill } from '../support/container-processes.ts';
import { halvesOf, hubsOf } from '../support/hub-processes.ts';
import { freePort } from '../support/ports.ts';
import { useTsrun } from '../support/tsrun.ts';
import { until } from '../support/until.ts';

const tsrun = useTsrun();
const IMAGE = 'localhost/busybox';
const [outside] = Object.values(networkInterfaces())
  .flatMap((infos) => infos ?? [])
  .filter((info) => info.family === 'IPv4' && !info.internal);
const host = outside?.address ?? '';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function serve(serveOne: (socket: Socket) => void): Promise<number> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined);
    serveOne(socket);
  });
  servers.push(server.listen(0, '0.0.0.0'));
  await new Promise((resolve) => server.once('listening', resolve));
  return (server.address() as { port: number }).port;
}

const inside = (script: string) => tsrun.run(['exec', 'client', 'sh', '-c', script]);

type Half = 'tsrun-outward' | 'slirp4netns';
const halves = (name: Half): number[] => hubsOf(tsrun).flatMap((hub) => halvesOf(hub, name));
const openInHubs = () => hubsOf(tsrun).flatMap((hub) => readdirSync(`/proc/${hub}/fd`)).length;
const theHalf = (name: Half): Promise<number> => until(`${name} runs`, () => halves(name)[0]);

describe.skipIf(!outside)('a connection to the outside', () => {
  it('is not slirp4netns’s business', async () => {
    await tsrun.ok('run', '-d', '--network', 'bridge', '--name', 'client', IMAGE, 'sleep', '1000');
    await theHalf('tsrun-outward');
    const slirp = await theHalf('slirp4netns');
    const port = await serve((socket) => void socket.end('not by slirp4netns\n'));
    kill(slirp, 'SIGSTOP');
    try {
      expect((await inside(`nc -w 60 ${host} ${port}`)).stdout).toBe('not by slirp4netns\n');
    } finally {
      kill(slirp, 'SIGCONT');
    }
  });

  it('passes on all bytes, both ways, and the end of each way by itself', async () => {
    const port = await serve((socket) => {
      const sum = createHash('sha256');
      socket.on('data', (chunk) => void sum.update(chunk));
      // Answered after the client's end: it can still read.
      socket.on('end', () => void socket.end(`${sum.digest('hex')}\n${'x'.repeat(30_000_000)}`));
    });
    const script = `head -c 30000000 /dev/urandom >/tmp/sent; nc ${host} ${port} </tmp/sent >/tmp/got; sha256sum </tmp/sent; head -n 1 /tmp/got; tail -n +2 /tmp/got | wc -c`;
    const { stdout, stderr } = await inside(script);
    const [sent, got, length] = stdout.trim().split('\n');
    expect(`${got}  -`, stderr).toBe(sent);
    expect(length).toBe('30000000');
  });

  it('is refused where nobody listens: the client is not connected before its target is', async () => {
    expect((await inside(`nc -w 5 ${host} ${await freePort()}`)).stderr).toContain('Connection refused');
  });

  it('can be one of hundreds at a time', async () => {
    const port = await serve((socket) => void socket.end('here\n'));
    const script = `for i in $(seq 300); do nc -w 100 ${host} ${port} & done | grep -c here; wait`;
    expect((await inside(script)).stdout).toBe('300\n');
  });

  it('can be made from the port of another one, to another target', async () => {
    // Both are one connection once they are redirected, unless the kernel changes a port: that one was reset.
    const calls: (() => void)[] = [];
    const answerBoth = (answer: string) => (socket: Socket) => {
      socket.once('data', () => {
        calls.push(() => void socket.end(`${answer}\n`));
        if (calls.length === 2) for (const call of calls) call();
      });
    };
    const ports = ['--sysctl', 'net.ipv4.ip_local_port_range=33333 33333'];
    await tsrun.ok(
      'run',
      '-d',
      '--network',
      'bridge',
      '--name',
      'one-port',
      ...ports,
      IMAGE,
      'sleep',
      '1000',
    );
    // It says something, and does not end before its target does.
    const call = async (answer: string) => {
      const port = await serve(answerBoth(answer));
      const fifo = `/tmp/${port}`;
      const script = `mkfifo ${fifo}; exec 3<>${fifo}; echo >&3; nc -w 60 ${host} ${port} <&3`;
      return tsrun.run(['exec', 'one-port', 'sh', '-c', script]);
    };
    const one = call('one');
    await until('the first is there', () => calls.length === 1);
    const two = call('two');
    expect([(await two).stdout, (await one).stdout]).toEqual(['two\n', 'one\n']);
    await tsrun.ok('rm', '-f', '-t', '0', 'one-port');
  });

  it('is possible again after any half of the uplink was killed', async () => {
    const port = await serve((socket) => void socket.end('again\n'));
    // An uplink that was started again left descriptors behind in the hub each time.
    const open = openInHubs();
    for (const name of ['tsrun-outward', 'slirp4netns'] as const) {
      const victim = await theHalf(name);
      kill(victim);
      await until(`another ${name}`, () => halves(name).some((pid) => pid !== victim));
      await until(
        'there is a way out',
        async () => (await inside(`nc -w 2 ${host} ${port}`)).stdout === 'again\n',
      );
      expect(halves(name)).toHaveLength(1);
    }
    await until('the hub has as many as before', () => openInHubs() === open);
  });

  // What was left of it was in the way of the next hub's listening socket for a minute: "Address already in use".
  it('is possible again after the hub was killed while one was open', async () => {
    let opened = 0;
    const port = await serve((socket) => {
      opened++;
      socket.write('here\n');
    });
    await tsrun.ok('exec', '-d', 'client', 'sh', '-c', `sleep 1000 | nc ${host} ${port} >/tmp/said`);
    await until('it is open', async () => opened > 0 && (await inside('cat /tmp/said')).stdout !== '');
    const half = await theHalf('tsrun-outward');
    for (const hub of hubsOf(tsrun)) kill(hub);
    await until('it ends with the hub', () => !isRunning(half));
    await tsrun.ok('network', 'reload', '--all');
    const again = await serve((socket) => void socket.end('again\n'));
    await until(
      'there is a way out',
      async () => (await inside(`nc -w 2 ${host} ${again}`)).stdout === 'again\n',
    );
  });
});

/** A DNS server that has nothing to say: who has asked it. */
async function serveDatagrams(): Promise<{ port: number; asked: RemoteInfo[] } & Disposable> {
  const socket = createSocket('udp4');
  const asked: RemoteInfo[] = [];
  socket.on('message', (query, from) => {
    asked.push(from);
    query[2] = (query[2] ?? 0) | 0x80;
    socket.send(query, from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '0.0.0.0', resolve));
  return { port: socket.address().port, asked, [Symbol.dispose]: () => void socket.close() };
}

/** By UDP, as BusyBox's nc has none. */
const question = (port: number) =>
  ['nslookup', `-port=${port}`, '-timeout=60', '-retry=1', '-type=a', 'name.example', host] as const;
const ask = (container: string, port: number) => tsrun.run(['exec', container, ...question(port)]);

describe.skipIf(!outside)('a datagram to the outside', () => {
  it('is not slirp4netns’s business either', async () => {
    using server = await serveDatagrams();
    const slirp = await theHalf('slirp4netns');
    kill(slirp, 'SIGSTOP');
    try {
      expect((await ask('client', server.port)).stdout).toContain('Non-authoritative answer');
    } finally {
      kill(slirp, 'SIGCONT');
    }
    expect(server.asked).toHaveLength(1);
  });

  it('is refused where nobody listens, as soon as the host knows', async () => {
    // nslookup says so, and waits on.
    const script = `(${question(await freePort()).join(' ')} 2>&1 &) | grep -m 1 refused`;
    expect((await inside(script)).stdout).toContain('Connection refused');
  });

  it('has the same port for all targets, so that clients behind address translation find each other', async () => {
    using one = await serveDatagrams();
    using two = await serveDatagrams();
    const ports = ['--sysctl', 'net.ipv4.ip_local_port_range=33333 33333'];
    const run = ['run', '-d', '--network', 'bridge', '--name', 'one-port', ...ports];
    await tsrun.ok(...run, IMAGE, 'sleep', '1000');
    for (const { port } of [one, two, one]) await ask('one-port', port);
    await tsrun.ok('rm', '-f', '-t', '0', 'one-port');
    expect(one.asked).toEqual([one.asked[0], one.asked[0]]);
    expect(two.asked.map(({ port }) => port)).toEqual(one.asked.slice(1).map(({ port }) => port));
  });
});

describe.skipIf(!outside)('no connection', () => {
  it('leaves an internal network, whatever routes a container makes', async () => {
    const port = await serve((socket) => void socket.end('out\n'));
    await tsrun.ok('network', 'create', '--internal', 'cell');
    const gateway = await tsrun.ok('network', 'inspect', '-f', '{{(index .IPAM.Config 0).Gateway}}', 'cell');
    const script = `ip route add default via ${gateway} && nc -w 3 ${host} ${port} || echo shut`;
    const options = ['run', '--rm', '--network', 'cell', '--cap-add', 'NET_ADMIN'];
    expect(await tsrun.ok(...options, IMAGE, 'sh', '-c', script)).toBe('shut');
    await tsrun.ok('network', 'rm', 'cell');
  });

  it('is left behind with the last container', async () => {
    const both = [await theHalf('tsrun-outward'), await theHalf('slirp4netns')];
    await tsrun.ok('rm', '-f', 'client');
    await until('both halves of the uplink end', () => !both.some((pid) => isRunning(pid)));
  });
});
