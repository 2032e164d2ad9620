/**
 * A machine of our own to try network drivers on, made of namespaces; started by network-drivers.test.ts as
 * `unshare --user --map-auto --map-root-user --mount --net --pid --fork --mount-proc --kill-child node lab.ts DIRECTORY`.
 *
 *     namespace "remote"                    namespace of this process: the host
 *       veth 192.0.2.1, fd00:1::1  <------>   veth 192.0.2.2, fd00:1::2; default routes to the remote
 *       lo   198.51.100.7                     lo; a DNS stub on 127.0.0.53, which is in /etc/resolv.conf
 *
 * `startContainer` is a supervisor reduced to its network: it clones an init into a network namespace and runs the driver's steps. The
 * scenarios (scenarios.ts) are called by name over the IPC channel; an answer of undefined means that all their assertions held.
 */
import { execFileSync, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { readHostNetwork } from '../../../src/network/host-network.ts';
import { makeDriver, type Scenario, scenarios } from './scenarios.ts';

export interface LabRequest {
  scenario: string;
  driver: string;
}

const sh = (command: string): void => {
  execFileSync('sh', ['-euc', command], {
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
};

/** Answers every question for an A record with 203.0.113.9 (RFC 1035, section 4.1). */
async function startDnsStub(): Promise<void> {
  const socket = createSocket('udp4');
  socket.on('message', (query, from) => {
    const question = query.subarray(12, query.indexOf(0, 12) + 5);
    const header = Buffer.concat([query.subarray(0, 2), Buffer.from('81800001000100000000', 'hex')]);
    const answer = Buffer.from('c00c000100010000003c0004cb007109', 'hex');
    socket.send(Buffer.concat([header, question, answer]), from.port, from.address);
  });
  socket.bind(53, '127.0.0.53');
  await once(socket, 'listening');
  socket.unref();
}

async function setUp(directory: string): Promise<number> {
  const remote = spawn('unshare', ['--net', '--kill-child', 'sh', '-c', 'echo; exec sleep infinity'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(createInterface(remote.stdout), 'line');
  const there = `nsenter --net=/proc/${remote.pid}/ns/net`;
  writeFileSync(join(directory, 'resolv.conf'), 'nameserver 127.0.0.53\nsearch corp.example\n');
  sh(`
    mount --bind ${directory}/resolv.conf /etc/resolv.conf
    ip link set lo up
    ip link add uplink type veth peer name uplink0 netns ${remote.pid}
    ip address add 192.0.2.2/24 dev uplink
    ip address add fd00:1::2/64 dev uplink nodad
    ip link set uplink up
    ${there} ip link set lo up
    ${there} ip address add 198.51.100.7/32 dev lo
    ${there} ip address add 192.0.2.1/24 dev uplink0
    ${there} ip address add fd00:1::1/64 dev uplink0 nodad
    ${there} ip link set uplink0 up
    ip route add default via 192.0.2.1
    ip -6 route add default via fd00:1::1`);
  await startDnsStub();
  return remote.pid ?? 0;
}

const [, , directory = ''] = process.argv;
const remote = await setUp(directory);
const host = readHostNetwork();

process.on('message', async ({ scenario, driver }: LabRequest) => {
  const run = scenarios[scenario] as Scenario;
  const containers: AsyncDisposableStack = new AsyncDisposableStack();
  let failure: string | undefined;
  try {
    await run({ directory, remote, host, driver: makeDriver(driver, host), containers });
  } catch (error) {
    failure = (error as Error).stack;
  }
  await containers.disposeAsync();
  process.send?.({ failure });
});
process.on('disconnect', () => process.exit());
process.send?.({ ready: readFileSync('/etc/resolv.conf', 'utf8') });
