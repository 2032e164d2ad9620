/** What networks of containers are measured by: the host's loopback, and a pair of veth between two namespaces. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { freePort } from '../answer.ts';
import { timed } from '../process.ts';
import type { Programs } from './image.ts';
import type { Client, Place, Ports } from './routes.ts';

/** Runs the programs of this machine, by way of `prefix`. */
export function clientHere(programs: Programs, scratch: string, ...prefix: string[]): Client {
  return async (program, ...words) => {
    const { PATH = '' } = process.env;
    const argv = [...prefix, programs[program], ...words];
    const { status, stdout, stderr } = await timed({ argv, env: { PATH } }, scratch);
    if (status !== 0) throw new Error(`${argv.join(' ')}: ${stderr || stdout}`);
    return stdout;
  };
}

/** Servers on all addresses of the host. */
export interface HostServers extends Disposable {
  ports: Ports;
  /** With another `exchange serve`, for {@link onOneProcessor}. */
  onOne: Ports;
}

/**
 * A client whose `exchange` shares one processor with its server. Left to the scheduler, the two ends of a bare connection have sometimes one and
 * sometimes two, which must wake each other: in a virtual machine five times as many requests or a fifth.
 */
const onOneProcessor =
  (client: Client): Client =>
  (program, ...words) =>
    client(program, ...words, ...(program === 'exchange' ? ['one'] : []));

export async function serveHere({ iperf3, exchange }: Programs): Promise<HostServers> {
  const ports = await freePorts();
  const onOne = { ...ports, exchange: await freePort() };
  const children = [
    spawn(iperf3, ['-s', '-p', String(ports.iperf3)], { stdio: 'ignore' }),
    spawn(exchange, ['serve', String(ports.exchange)], { stdio: 'ignore' }),
    spawn(exchange, ['serve', String(onOne.exchange), 'one'], { stdio: 'ignore' }),
    spawn(exchange, ['http', String(ports.http)], { stdio: 'ignore' }),
  ];
  return { ports, onOne, [Symbol.dispose]: () => children.forEach((child) => void child.kill('SIGKILL')) };
}

export const freePorts = async (): Promise<Ports> => ({
  iperf3: await freePort(),
  exchange: await freePort(),
  http: await freePort(),
});

/** @param ports `onOne` of {@link HostServers} */
export const loopback = (client: Client, ports: Ports): Place => {
  const route = { client: onOneProcessor(client), address: '127.0.0.1', ports };
  return {
    name: 'loopback',
    label: 'bare loopback',
    routes: { out: route, published: route, elsewhere: route },
    [Symbol.asyncDispose]: async () => undefined,
  };
};

/**
 * Ports of the loopback that are passed on to the host's servers by as little as can be: for streams two splices, for connections a dozen system
 * calls that block. What stands between two sockets as a forwarder of published ports does is not much faster than these, but for not sleeping.
 */
export async function bareRelays(client: Client, { exchange }: Programs, to: Ports): Promise<Place[]> {
  const ports = await freePorts();
  const place = (name: string, server: 'iperf3' | 'exchange', label: string, ...only: string[]): Place => {
    const words = [name, String(ports[server]), String(to[server])];
    const { pid } = spawn(exchange, words, { stdio: 'ignore', detached: true });
    return {
      ...{ name, label, only },
      routes: { published: { client, address: '127.0.0.1', ports } },
      async [Symbol.asyncDispose]() {
        if (pid !== undefined) process.kill(-pid, 'SIGKILL');
      },
    };
  };
  return [
    place('splice', 'iperf3', 'bare splice relay', 'network-in', 'network-in-down'),
    place('repeat', 'exchange', 'bare relay of one answer', 'network-connections'),
  ];
}

const VETH_PORTS: Ports = { iperf3: 5201, exchange: 7000, http: 7001 };

/** $1: MTU, $2: iperf3, $3: exchange. Ends with its standard input. */
const VETH_SCRIPT = `set -eu
unshare --net sleep 100000 &
peer=$!
until [ "$(readlink /proc/$peer/ns/net)" != "$(readlink /proc/$$/ns/net)" ]; do sleep 0.05; done
ip link add veth0 mtu "$1" type veth peer name veth1 mtu "$1" netns "$peer"
ip address add 10.99.0.1/24 dev veth0
ip link set veth0 up
nsenter --net=/proc/$peer/ns/net sh -ec '
  ip address add 10.99.0.2/24 dev veth1
  ip link set veth1 up
  "$2" -s >/dev/null 2>&1 &
  "$3" http 7001 &
  exec "$3" serve 7000 one' sh "$@" &
echo "$$"
cat`;

/** @param mtu as the bridges have it that are measured beside it */
export async function vethPair(programs: Programs, scratch: string, mtu: number): Promise<Place> {
  const namespaces = [
    '--user',
    '--map-root-user',
    '--net',
    '--pid',
    '--fork',
    '--kill-child',
    '--mount-proc',
  ];
  const words = ['sh', '-c', VETH_SCRIPT, 'sh', String(mtu), programs.iperf3, programs.exchange];
  const child = spawn('unshare', [...namespaces, ...words], { stdio: ['pipe', 'pipe', 'inherit'] });
  await Promise.race([
    once(child.stdout, 'data'),
    once(child, 'exit').then(() => Promise.reject(new Error('no pair of veth could be made'))),
  ]);
  const pid = await firstChild(child);
  const enter = ['nsenter', '--target', pid, '--user', '--preserve-credentials', '--net'];
  return {
    name: 'veth',
    label: `bare veth, MTU ${mtu}`,
    routes: {
      beside: {
        client: onOneProcessor(clientHere(programs, scratch, ...enter)),
        address: '10.99.0.2',
        ports: VETH_PORTS,
      },
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

/** The pid, seen from here, of what unshare(1) forked. */
async function firstChild({ pid }: ChildProcess): Promise<string> {
  const [first] = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim().split(' ');
  if (!first) throw new Error('unshare has no child');
  return first;
}
