/**
 * One behavioural suite for every network driver that publishes ports, on a machine made of namespaces (test/support/network/lab.ts).
 * Needs slirp4netns, pasta, iproute2, and an ordinary user with subordinate ids.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { probeHelper } from '../../src/network/probe-helper.ts';
import type { LabRequest } from '../support/network/lab.ts';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const LAB = join(ROOT, 'test', 'support', 'network', 'lab.ts');
const NAMESPACES = [
  '--user',
  '--map-auto',
  '--map-root-user',
  '--mount',
  '--net',
  '--pid',
  '--fork',
  '--mount-proc',
  '--kill-child',
];

const EVERYWHERE = [
  'reaches a remote by TCP and UDP',
  'reaches the host at the address that it calls host.containers.internal',
  'does not reach the host’s loopback, by any address that it knows',
  'resolves by the host’s stub on 127.0.0.53',
  'publishes TCP ports on all addresses',
  'publishes UDP ports',
  'publishes on one address only',
  'publishes no UDP port beside a TCP port',
  'shows the service the client’s address',
  'relays half-closed connections inwards',
  'refuses early connections and works later',
  'carries an MTU of 65520',
  'frees its ports and leaves nothing when its supervisor is killed',
  'frees its ports when the helper is killed',
  'starts again where one was killed half-way',
  'fails when a port was taken meanwhile, and leaves no helper',
  'connects a container that has a user namespace of its own',
  'repeats what a helper said that could not start',
  'gives its helper as many descriptors as the user may have',
  'runs a helper that is locked in',
];

let lab: ChildProcess;
let stderr = '';
const directory = mkdtempSync(join(tmpdir(), 'tsrun-lab-'));

beforeAll(async () => {
  // The forwarder is tried in a build that stops at undefined behaviour.
  execFileSync('sh', [join(ROOT, 'native', 'build.sh'), directory, 'trapping'], { stdio: 'inherit' });
  lab = spawn('unshare', [...NAMESPACES, process.execPath, LAB, directory], {
    stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    env: { ...process.env, TSRUN_TEST_SUPERVISOR: join(directory, 'supervisor') },
  });
  lab.stderr?.on('data', (chunk) => {
    stderr += chunk;
  });
  const [message] = await Promise.race([once(lab, 'message'), once(lab, 'exit')]);
  expect(message, stderr).toHaveProperty('ready');
});

afterAll(async () => {
  lab.kill('SIGKILL');
  await once(lab, 'exit');
  rmSync(directory, { recursive: true });
});

async function holds(driver: string, scenario: string): Promise<void> {
  const request: LabRequest = { driver, scenario };
  lab.send(request);
  const [answer] = await once(lab, 'message');
  expect(answer.failure, stderr).toBeUndefined();
}

/** What only tsrun's own forwarder does. */
const FORWARDER = [
  'serves a client of one family though the service listens to the other',
  'shows a UDP service its clients’ addresses, and them the one that they asked',
  'lets a UDP service call others from its published port',
  'relays a half-close of the service',
  'relays resets both ways',
  'passes on what a service said before it ended without hearing all',
  'waits for a slow client, and forgets nothing',
  'makes its sockets by itself when it is given none',
  'shows a client on the host’s loopback by an address of the container’s network',
  'serves 200 connections at once',
  'publishes UDP ports to clients on the host’s loopback',
  'publishes on IPv6 addresses',
];

describe.each(['private', 'slirp4netns:port_handler=slirp4netns', 'pasta'])('%s', (driver) => {
  it.each(EVERYWHERE)('%s', (scenario) => holds(driver, scenario));
});

describe('the forwarder', () => {
  it.each(FORWARDER)('%s', (scenario) => holds('private', scenario));
});

describe('what one of them can', () => {
  const pasta = probeHelper('pasta', { cacheFile: undefined });
  const flawed = pasta.usable && pasta.flaw !== undefined;
  it('slirp4netns relays half-closed connections outwards', () =>
    holds('slirp4netns', 'relays half-closed connections outwards'));
  it.skipIf(flawed)('pasta relays half-closed connections outwards', () =>
    holds('pasta', 'relays half-closed connections outwards'),
  );
  it('slirp4netns shows a client on the host’s loopback by an address of the container’s network', () =>
    holds(
      'slirp4netns:port_handler=slirp4netns',
      'shows a client on the host’s loopback by an address of the container’s network',
    ));
  it.skipIf(flawed)(
    'pasta shows a client on the host’s loopback by an address of the container’s network',
    () => holds('pasta', 'shows a client on the host’s loopback by an address of the container’s network'),
  );
  it('pasta serves 200 connections at once', () => holds('pasta', 'serves 200 connections at once'));
  it.skipIf(flawed)('pasta publishes UDP ports to clients on the host’s loopback', () =>
    holds('pasta', 'publishes UDP ports to clients on the host’s loopback'),
  );
  it.skipIf(flawed)('pasta publishes on IPv6 addresses', () => holds('pasta', 'publishes on IPv6 addresses'));
  it('pasta reaches a remote by IPv6', () => holds('pasta', 'reaches a remote by IPv6'));
  it('slirp4netns is given up when it hangs', () => holds('slirp4netns', 'gives up a helper that hangs'));
  it('slirp4netns opens the host’s loopback', () =>
    holds('slirp4netns:allow_host_loopback=true', 'reaches the host’s loopback when asked to'));
  it('pasta opens the host’s loopback', () =>
    holds('pasta:--map-gw', 'reaches the host’s loopback when asked to'));
});
