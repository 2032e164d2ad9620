/** What every driver must do; run inside the lab (lab.ts), each by its name. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { on } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { chooseDriver, type LocalMode } from '../../../src/network/choose-driver.ts';
import { claimPorts } from '../../../src/network/claim-ports.ts';
import type { NetworkDriver, PortMapping } from '../../../src/network/driver.ts';
import type { HostNetwork } from '../../../src/network/host-network.ts';
import { parseNetwork } from '../../../src/network/parse-network.ts';
import { parsePublish } from '../../../src/network/parse-publish.ts';
import { pastaDriver } from '../../../src/network/pasta.ts';
import { probeHelper } from '../../../src/network/probe-helper.ts';
import { slirpDriver } from '../../../src/network/slirp4netns.ts';
import { DEFAULT_SLIRP_OPTIONS } from '../../../src/network/slirp4netns-options.ts';
import { CLONE_NEWUSER } from '../../../src/sys/constants.ts';
import { type Container, startContainer, untilGone } from './container.ts';
import { type Manner, MUCH } from './manner.ts';
import type { PeerRequest } from './peer.ts';

export interface Lab {
  directory: string;
  /** Pid of a process in the remote's network namespace. */
  remote: number;
  host: HostNetwork;
  driver: NetworkDriver;
  containers: AsyncDisposableStack;
}

export type Scenario = (lab: Lab) => Promise<void>;

export const makeDriver = (mode: string, host: HostNetwork): NetworkDriver =>
  chooseDriver(parseNetwork(mode) as LocalMode, {
    host,
    ports: [],
    probe: (name) => probeHelper(name, { cacheFile: undefined }),
    probeTransparent: () => ({ transparent: true }),
  }).driver;

async function start(
  lab: Lab,
  publish: readonly string[] = [],
): Promise<Container & { ports: PortMapping[] }> {
  const { driver } = lab;
  using claim = claimPorts(publish.flatMap(parsePublish), driver.publishing);
  const container = await startContainer(driver, claim, lab.directory);
  lab.containers.defer(async () => {
    process.kill(container.supervisor, 'SIGKILL');
    await untilGone([container.supervisor, container.init, ...container.helpers]);
  });
  return { ...container, ports: claim.ports };
}

/** Starts a container with one published port; its end is the caller's business. */
async function startWith({ driver, directory }: Lab, publish: string, flags = 0n): Promise<Container> {
  using claim = claimPorts(parsePublish(publish), driver.publishing);
  return await startContainer(driver, claim, directory, flags);
}

const NO_PORTS = { ports: [], sockets: [] };

/** Throws if the host port cannot be bound now. */
function isFree(publish: string): void {
  using claim = claimPorts(parsePublish(publish));
  assert.deepEqual(claim.ports, parsePublish(publish));
}

type Said = {
  listening?: true;
  from?: string;
  answer?: string;
  heard?: string;
  error?: string;
  addresses?: string[];
};

class Peer {
  readonly #process: ChildProcess;
  readonly #lines: AsyncIterator<string[]>;
  /** @param pid whose network namespace it lives in; undefined = the host's */
  constructor(lab: Lab, pid: number | undefined, request: PeerRequest) {
    const program = join(dirname(fileURLToPath(import.meta.url)), 'peer.ts');
    const argv = [process.execPath, program, JSON.stringify(request)];
    const enter = pid === undefined ? [] : ['nsenter', `--net=/proc/${pid}/ns/net`];
    const [command = '', ...rest] = [...enter, ...argv];
    this.#process = spawn(command, rest, { stdio: ['ignore', 'pipe', 'inherit'] });
    const lines = createInterface(this.#process.stdout as NodeJS.ReadableStream);
    this.#lines = on(lines, 'line', { close: ['close'] }) as AsyncIterator<string[]>;
    lab.containers.defer(() => void this.#process.kill('SIGKILL'));
  }
  end(): void {
    this.#process.kill('SIGKILL');
  }
  async next(): Promise<Said> {
    const { value } = await this.#lines.next();
    return value ? (JSON.parse(value[0] ?? '') as Said) : { error: 'it ended' };
  }
}

async function listen(
  lab: Lab,
  pid: number | undefined,
  protocol: 'tcp' | 'udp',
  address: string,
  port: number,
  manner: Manner = 'answers',
): Promise<Peer> {
  const peer = new Peer(lab, pid, { act: 'listen', protocol, address, port, manner });
  assert.deepEqual(await peer.next(), { listening: true });
  return peer;
}

interface DialOptions {
  localAddress?: string;
  localPort?: number;
  halfClose?: boolean;
}

const dial = (
  lab: Lab,
  pid: number | undefined,
  protocol: 'tcp' | 'udp',
  address: string,
  port: number,
  { halfClose = false, ...rest }: DialOptions = {},
): Promise<Said> =>
  new Peer(lab, pid, { act: 'dial', protocol, address, port, send: 'hello', halfClose, ...rest }).next();

/** One line and its answer, from this process. */
async function ask(host: string, port: number): Promise<string> {
  const socket = connect({ host, port });
  socket.write('hello\n');
  let answer = '';
  for await (const chunk of socket) answer += chunk;
  return answer;
}

const HEARD = { answer: 'heard:hello' };

export const scenarios: Record<string, Scenario> = {
  'reaches a remote by TCP and UDP': async (lab) => {
    const { init } = await start(lab);
    for (const protocol of ['tcp', 'udp'] as const) {
      const service = await listen(lab, lab.remote, protocol, '192.0.2.1', 7000);
      assert.deepEqual(await dial(lab, init, protocol, '192.0.2.1', 7000), HEARD);
      assert.deepEqual(await service.next(), { from: '192.0.2.2' });
    }
  },

  'reaches the host at the address that it calls host.containers.internal': async (lab) => {
    const { init } = await start(lab);
    assert.equal(lab.driver.hostAddress, '192.0.2.2');
    await listen(lab, undefined, 'tcp', '0.0.0.0', 7001);
    assert.deepEqual(await dial(lab, init, 'tcp', '192.0.2.2', 7001), HEARD);
  },

  'does not reach the host’s loopback, by any address that it knows': async (lab) => {
    const { init } = await start(lab);
    await listen(lab, undefined, 'tcp', '127.0.0.1', 7002);
    await listen(lab, undefined, 'tcp', '::1', 7002);
    const routes = readFileSync(`/proc/${init}/net/route`, 'utf8').split('\n').slice(1);
    const gateways = routes.map((line) => line.split('\t')[2]).filter((hex) => hex && hex !== '00000000');
    const dotted = gateways.map((hex) =>
      Buffer.from(hex ?? '', 'hex')
        .reverse()
        .join('.'),
    );
    assert.ok(dotted.includes('10.0.2.2'), `a gateway in ${dotted}`);
    const others = [
      '127.0.0.1',
      '::1',
      '10.0.2.3',
      '10.0.2.100',
      '192.0.2.2',
      'fd74:7372:756e::2',
      'fd74:7372:756e::3',
    ];
    const addresses = [...new Set([...dotted, ...others])];
    const said = await Promise.all(addresses.map((address) => dial(lab, init, 'tcp', address, 7002)));
    said.forEach(({ error, answer }, i) => {
      assert.equal(answer, undefined, `${addresses[i]} leads to the host’s loopback`);
      assert.ok(error);
    });
  },

  'reaches the host’s loopback when asked to': async (lab) => {
    const { init } = await start(lab);
    await listen(lab, undefined, 'tcp', '127.0.0.1', 7003);
    assert.deepEqual(await dial(lab, init, 'tcp', lab.driver.hostAddress ?? '', 7003), HEARD);
  },

  'resolves by the host’s stub on 127.0.0.53': async (lab) => {
    const { init } = await start(lab);
    const [server = ''] = lab.driver.nameservers ?? [];
    const peer = new Peer(lab, init, { act: 'resolve', server, name: 'private.corp.example' });
    assert.deepEqual(await peer.next(), { addresses: ['203.0.113.9'] });
  },

  'publishes TCP ports on all addresses': async (lab) => {
    const { init, ports } = await start(lab, ['8080:80', '80']);
    const chosen = ports[1]?.hostPort ?? 0;
    assert.notEqual(chosen, 0);
    await listen(lab, init, 'tcp', '0.0.0.0', 80);
    for (const address of ['127.0.0.1', '127.0.0.2', '192.0.2.2']) {
      assert.deepEqual(await dial(lab, undefined, 'tcp', address, 8080), HEARD);
    }
    assert.deepEqual(await dial(lab, undefined, 'tcp', '127.0.0.1', chosen), HEARD);
    assert.deepEqual(await dial(lab, lab.remote, 'tcp', '192.0.2.2', 8080), HEARD);
  },

  'publishes UDP ports': async (lab) => {
    const { init } = await start(lab, ['5353:53/udp']);
    const service = await listen(lab, init, 'udp', '0.0.0.0', 53);
    assert.deepEqual(await dial(lab, lab.remote, 'udp', '192.0.2.2', 5353), HEARD);
    assert.deepEqual(await service.next(), { from: '192.0.2.1' });
    assert.deepEqual(await dial(lab, undefined, 'udp', '192.0.2.2', 5353), HEARD);
  },

  'publishes UDP ports to clients on the host’s loopback': async (lab) => {
    const { init } = await start(lab, ['5355:55/udp', '127.0.0.2:5356:55/udp']);
    await listen(lab, init, 'udp', '0.0.0.0', 55);
    assert.deepEqual(await dial(lab, undefined, 'udp', '127.0.0.1', 5355), HEARD);
    assert.deepEqual(await dial(lab, undefined, 'udp', '127.0.0.2', 5356), HEARD);
  },

  'publishes on one address only': async (lab) => {
    const { init } = await start(lab, ['127.0.0.2:8081:81']);
    await listen(lab, init, 'tcp', '0.0.0.0', 81);
    assert.deepEqual(await dial(lab, undefined, 'tcp', '127.0.0.2', 8081), HEARD);
    assert.deepEqual(await dial(lab, undefined, 'tcp', '127.0.0.1', 8081), { error: 'ECONNREFUSED' });
    assert.deepEqual(await dial(lab, lab.remote, 'tcp', '192.0.2.2', 8081), { error: 'ECONNREFUSED' });
  },

  'publishes no UDP port beside a TCP port': async (lab) => {
    await start(lab, ['8082:82']);
    isFree('8082:82/udp');
  },

  'publishes on IPv6 addresses': async (lab) => {
    const { init } = await start(lab, ['[::1]:8083:83', '[::]:8084:83']);
    await listen(lab, init, 'tcp', '::', 83);
    assert.deepEqual(await dial(lab, undefined, 'tcp', '::1', 8083), HEARD);
    assert.deepEqual(await dial(lab, undefined, 'tcp', 'fd00:1::2', 8084), HEARD);
    assert.deepEqual(await dial(lab, lab.remote, 'tcp', 'fd00:1::2', 8084), HEARD);
  },

  'reaches a remote by IPv6': async (lab) => {
    const { init } = await start(lab);
    await listen(lab, lab.remote, 'tcp', 'fd00:1::1', 7004);
    assert.deepEqual(await dial(lab, init, 'tcp', 'fd00:1::1', 7004), HEARD);
  },

  'shows the service the client’s address': async (lab) => {
    const { init } = await start(lab, ['8085:85']);
    const service = await listen(lab, init, 'tcp', '0.0.0.0', 85);
    for (const address of ['192.0.2.1', '198.51.100.7']) {
      assert.deepEqual(
        await dial(lab, lab.remote, 'tcp', '192.0.2.2', 8085, { localAddress: address }),
        HEARD,
      );
      assert.deepEqual(await service.next(), { from: address });
    }
  },

  'shows a client on the host’s loopback by an address of the container’s network': async (lab) => {
    const { init } = await start(lab, ['8096:96']);
    const service = await listen(lab, init, 'tcp', '0.0.0.0', 96);
    assert.deepEqual(await dial(lab, undefined, 'tcp', '127.0.0.1', 8096), HEARD);
    assert.match((await service.next()).from ?? '', /^10\.0\.2\.(2|100)$/);
  },

  'serves 200 connections at once': async (lab) => {
    const { init } = await start(lab, ['8095:95']);
    await listen(lab, init, 'tcp', '0.0.0.0', 95);
    for (const host of ['127.0.0.1', '192.0.2.2']) {
      const answers = await Promise.all(Array.from({ length: 200 }, () => ask(host, 8095)));
      assert.deepEqual([...new Set(answers)], ['heard:hello']);
    }
  },

  'relays half-closed connections inwards': async (lab) => {
    const { init } = await start(lab, ['8093:93']);
    await listen(lab, init, 'tcp', '0.0.0.0', 93);
    for (const [from, address] of [
      [undefined, '127.0.0.1'],
      [undefined, '192.0.2.2'],
      [lab.remote, '192.0.2.2'],
    ] as const) {
      assert.deepEqual(await dial(lab, from, 'tcp', address, 8093, { halfClose: true }), HEARD);
    }
  },

  'relays half-closed connections outwards': async (lab) => {
    const { init } = await start(lab);
    await listen(lab, lab.remote, 'tcp', '192.0.2.1', 7005);
    for (let i = 0; i < 5; i++) {
      assert.deepEqual(await dial(lab, init, 'tcp', '192.0.2.1', 7005, { halfClose: true }), HEARD);
    }
  },

  'refuses early connections and works later': async (lab) => {
    const { init } = await start(lab, ['8086:86']);
    for (let i = 0; i < 5; i++) {
      const { answer } = await dial(lab, undefined, 'tcp', '127.0.0.1', 8086);
      assert.notEqual(answer, HEARD.answer);
      assert.equal((await dial(lab, lab.remote, 'tcp', '192.0.2.2', 8086)).answer ?? '', '');
    }
    await listen(lab, init, 'tcp', '0.0.0.0', 86);
    assert.deepEqual(await dial(lab, undefined, 'tcp', '127.0.0.1', 8086), HEARD);
    assert.deepEqual(await dial(lab, lab.remote, 'tcp', '192.0.2.2', 8086), HEARD);
  },

  'serves a client of one family though the service listens to the other': async (lab) => {
    const { init } = await start(lab, ['8100:100', '8100:100/udp']);
    const services = [
      await listen(lab, init, 'tcp', '0.0.0.0', 100),
      await listen(lab, init, 'udp', '0.0.0.0', 100),
    ];
    for (const [i, protocol] of (['tcp', 'udp'] as const).entries()) {
      assert.deepEqual(await dial(lab, undefined, protocol, '::1', 8100), HEARD);
      assert.deepEqual(await services[i]?.next(), { from: '10.0.2.2' });
      assert.deepEqual(await dial(lab, lab.remote, protocol, 'fd00:1::2', 8100), HEARD);
      assert.deepEqual(await services[i]?.next(), { from: '10.0.2.2' });
    }
  },

  'shows a UDP service its clients’ addresses, and them the one that they asked': async (lab) => {
    const { init } = await start(lab, ['5357:57/udp']);
    const service = await listen(lab, init, 'udp', '0.0.0.0', 57);
    const clients = [
      [lab.remote, '192.0.2.2', '192.0.2.1'],
      [undefined, '192.0.2.2', '192.0.2.2'],
      [undefined, '127.0.0.3', '10.0.2.2'],
    ] as const;
    for (const [from, address, seen] of clients) {
      // Peers connect their sockets: an answer from another address would not reach them.
      assert.deepEqual(await dial(lab, from, 'udp', address, 5357), HEARD);
      assert.deepEqual(await service.next(), { from: seen });
    }
    for (const localAddress of ['192.0.2.1', '198.51.100.7']) {
      const answer = await dial(lab, lab.remote, 'udp', '192.0.2.2', 5357, { localAddress });
      assert.deepEqual([answer, await service.next()], [HEARD, { from: localAddress }]);
    }
  },

  // A first design sent all that a published UDP port said to the forwarder: a peer-to-peer program could call nobody.
  'lets a UDP service call others from its published port': async (lab) => {
    const { init } = await start(lab, ['5358:58/udp']);
    const service = await listen(lab, init, 'udp', '0.0.0.0', 58);
    assert.deepEqual(await dial(lab, undefined, 'udp', '127.0.0.1', 5358), HEARD);
    await service.next();
    service.end();
    await listen(lab, lab.remote, 'udp', '192.0.2.1', 7006);
    assert.deepEqual(await dial(lab, init, 'udp', '192.0.2.1', 7006, { localPort: 58 }), HEARD);
  },

  'relays a half-close of the service': async (lab) => {
    const { init } = await start(lab, ['8101:101']);
    const service = await listen(lab, init, 'tcp', '0.0.0.0', 101, 'ends first');
    const socket = connect({ host: '127.0.0.1', port: 8101, allowHalfOpen: true });
    let heard = '';
    for await (const chunk of socket.iterator({ destroyOnReturn: false })) heard += chunk;
    assert.equal(heard, 'bye');
    socket.end('still here');
    await service.next();
    assert.deepEqual(await service.next(), { heard: 'still here' });
  },

  'relays resets both ways': async (lab) => {
    const { init } = await start(lab, ['8102:102', '8103:103']);
    await listen(lab, init, 'tcp', '0.0.0.0', 102, 'resets');
    assert.deepEqual(await dial(lab, undefined, 'tcp', '127.0.0.1', 8102), { error: 'ECONNRESET' });
    assert.deepEqual(await dial(lab, lab.remote, 'tcp', '192.0.2.2', 8102), { error: 'ECONNRESET' });
    const service = await listen(lab, init, 'tcp', '0.0.0.0', 103);
    const socket = connect({ host: '127.0.0.1', port: 8103 });
    await service.next();
    socket.resetAndDestroy();
    assert.deepEqual(await service.next(), { error: 'ECONNRESET' });
  },

  'passes on what a service said before it ended without hearing all': async (lab) => {
    const { init } = await start(lab, ['8104:104']);
    await listen(lab, init, 'tcp', '0.0.0.0', 104, 'answers and closes');
    const socket = connect({ host: '127.0.0.1', port: 8104 });
    let heard = '';
    socket.on('data', (chunk) => {
      heard += chunk;
    });
    socket.on('error', () => {});
    socket.write(Buffer.alloc(1 << 20));
    await new Promise((resolve) => socket.once('close', resolve));
    assert.equal(heard, 'enough');
  },

  'waits for a slow client, and forgets nothing': async (lab) => {
    const { init } = await start(lab, ['8105:105']);
    await listen(lab, init, 'tcp', '0.0.0.0', 105, 'sends much');
    const sockets = Array.from({ length: 8 }, () => connect({ host: '127.0.0.1', port: 8105 }));
    for (const socket of sockets) socket.pause();
    await new Promise((resolve) => setTimeout(resolve, 200));
    const sizes = sockets.map(async (socket) => {
      const hash = createHash('sha256');
      for await (const chunk of socket) hash.update(chunk);
      return hash.digest('hex');
    });
    const expected = createHash('sha256').update(Buffer.alloc(MUCH, 'tsrun')).digest('hex');
    assert.deepEqual([...new Set(await Promise.all(sizes))], [expected]);
  },

  'makes its sockets by itself when it is given none': async (lab) => {
    const ports = parsePublish('8106:106');
    const container = await startContainer(lab.driver, { ports, sockets: [] }, lab.directory);
    lab.containers.defer(() => void process.kill(container.supervisor, 'SIGKILL'));
    await listen(lab, container.init, 'tcp', '0.0.0.0', 106);
    assert.deepEqual(await dial(lab, undefined, 'tcp', '127.0.0.1', 8106), HEARD);
  },

  'carries an MTU of 65520': async (lab) => {
    const { init } = await start(lab);
    const links = readFileSync(`/proc/${init}/net/dev`, 'utf8');
    const name = /^\s*(eth0|tap0):/m.exec(links)?.[1];
    const { stdout } = spawn(
      'nsenter',
      [`--net=/proc/${init}/ns/net`, 'ip', '-o', 'link', 'show', name ?? ''],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    let text = '';
    for await (const chunk of stdout) text += chunk;
    assert.match(text, / mtu 65520 /);
  },

  'frees its ports and leaves nothing when its supervisor is killed': async (lab) => {
    const container = await startWith(lab, '8087:87');
    assert.ok(container.helpers.length > 0);
    process.kill(container.supervisor, 'SIGKILL');
    await untilGone([container.supervisor, container.init, ...container.helpers]);
    isFree('8087:87');
    assert.deepEqual(readdirSync(container.directory), []);
    assert.doesNotMatch(readFileSync('/proc/self/mountinfo', 'utf8'), / nsfs /);
  },

  'frees its ports when the helper is killed': async (lab) => {
    const container = await start(lab, ['8088:88']);
    for (const pid of container.helpers) process.kill(pid, 'SIGKILL');
    await untilGone(container.helpers);
    isFree('8088:88');
  },

  'starts again where one was killed half-way': async (lab) => {
    const first = await start(lab, ['8089:89']);
    for (const name of ['slirp.sock', 'ready']) {
      const { stderr } = spawn('touch', [join(first.directory, name)]);
      for await (const _ of stderr) assert.fail();
    }
    const { driver } = lab;
    const attach: NetworkDriver['attach'] = (context) =>
      driver.attach({ ...context, directory: first.directory });
    const second = await startWith({ ...lab, driver: { ...driver, attach } }, '8090:89');
    lab.containers.defer(() => void process.kill(second.supervisor, 'SIGKILL'));
    await listen(lab, second.init, 'tcp', '0.0.0.0', 89);
    assert.deepEqual(await dial(lab, undefined, 'tcp', '127.0.0.1', 8090), HEARD);
  },

  'fails when a port was taken meanwhile, and leaves no helper': async (lab) => {
    await listen(lab, undefined, 'tcp', '0.0.0.0', 8091);
    const unclaimed = { ports: parsePublish('8091:91'), sockets: [] };
    await assert.rejects(startContainer(lab.driver, unclaimed, lab.directory), /errno (98|100);/);
  },

  'connects a container that has a user namespace of its own': async (lab) => {
    const driver = { ...lab.driver, sysctls: {} }; // nobody is mapped there
    const container = await startWith({ ...lab, driver }, '8094:94', CLONE_NEWUSER);
    lab.containers.defer(() => void process.kill(container.supervisor, 'SIGKILL'));
    await listen(lab, container.init, 'tcp', '0.0.0.0', 94);
    assert.deepEqual(await dial(lab, undefined, 'tcp', '127.0.0.1', 8094), HEARD);
  },

  'repeats what a helper said that could not start': async (lab) => {
    const helper = join(lab.directory, 'helper');
    writeFileSync(helper, '#!/bin/sh\necho no luck today >&2\nexit 1\n', { mode: 0o755 });
    const name = lab.driver.name as 'pasta' | 'slirp4netns';
    const driver =
      name === 'pasta'
        ? pastaDriver(helper, [], lab.host)
        : slirpDriver(helper, DEFAULT_SLIRP_OPTIONS, lab.host);
    await assert.rejects(
      startContainer(driver, NO_PORTS, lab.directory),
      /errno 100; helpers said: no luck today/,
    );
  },

  'gives up a helper that hangs': async (lab) => {
    const helper = join(lab.directory, 'hanging');
    writeFileSync(helper, '#!/bin/sh\nexec sleep infinity\n', { mode: 0o755 });
    const driver = slirpDriver(helper, DEFAULT_SLIRP_OPTIONS, lab.host);
    await assert.rejects(startContainer(driver, NO_PORTS, lab.directory), /errno 100;/);
  },

  'gives its helper as many descriptors as the user may have': async (lab) => {
    const { helpers } = await start(lab);
    const limits = readFileSync(`/proc/${helpers[0]}/limits`, 'utf8');
    assert.match(limits, new RegExp(`^Max open files +${lab.host.openFiles} +${lab.host.openFiles} `, 'm'));
  },

  'runs a helper that is locked in': async (lab) => {
    const { helpers } = await start(lab, ['8092:92']);
    for (const pid of helpers) {
      // pasta says that it is ready a moment before its last lock.
      while (!/^Seccomp:\t2$/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))) await setImmediate();
      assert.equal(execRoot(pid), 0, 'its root directory is empty or holds only etc and run');
    }
  },
};

/** Entries of a process's root other than what slirp4netns mounts for its resolver. */
function execRoot(pid: number): number {
  return readdirSync(`/proc/${pid}/root`).filter((name) => !['etc', 'run'].includes(name)).length;
}
