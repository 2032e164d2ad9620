/** Containers of each engine, by each of its ways to connect them. */
import { networkInterfaces } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../answer.ts';
import type { Engine, EngineName } from '../engine.ts';
import { IMAGE, type Programs } from './image.ts';
import type { Client, Place, Ports } from './routes.ts';

interface Way {
  name: string;
  engine: EngineName;
  label: string;
  network: string;
  /** Two containers of this network reach each other. */
  beside?: boolean;
}

const WAYS: readonly Way[] = [
  { name: 'forwarder', engine: 'tsrun', label: 'forwarder over slirp4netns', network: 'slirp4netns' },
  { name: 'pasta', engine: 'tsrun', label: 'pasta', network: 'pasta' },
  { name: 'bridge', engine: 'tsrun', label: 'bridge', network: 'bridge', beside: true },
  { name: 'podman5-pasta', engine: 'podman5', label: 'pasta', network: 'pasta' },
  { name: 'podman5-bridge', engine: 'podman5', label: 'bridge', network: 'bridge', beside: true },
  { name: 'rootlessport', engine: 'podman4', label: 'slirp4netns + rootlessport', network: 'slirp4netns' },
  {
    name: 'slirp4netns',
    engine: 'podman4',
    label: 'slirp4netns',
    network: 'slirp4netns:port_handler=slirp4netns',
  },
];

const INSIDE: Ports = { iperf3: 5201, exchange: 7000 };
const SERVERS = `iperf3 -s -p ${INSIDE.iperf3} >/dev/null 2>&1 & exec exchange serve ${INSIDE.exchange}`;
const LISTEN_MS = 20_000;

const hostAddress = (): string | undefined =>
  Object.values(networkInterfaces())
    .flatMap((infos) => infos ?? [])
    .find(({ internal, family }) => !internal && family === 'IPv4')?.address;

export interface Outside {
  programs: Programs;
  client: Client;
  /** Of the servers on the host. */
  ports: Ports;
}

/** One place for each way of the engines that are there; those that do not work are said in `missing`. */
export async function startPlaces(
  engines: readonly Engine[],
  outside: Outside,
): Promise<{ places: Place[]; missing: string[] }> {
  const places: Place[] = [];
  const missing: string[] = [];
  for (const way of WAYS) {
    const engine = engines.find(({ name }) => name === way.engine);
    if (!engine) continue; // the list of engines says why
    try {
      places.push(await startPlace(engine, way, outside));
    } catch (error) {
      missing.push(`network, ${engine.label}, ${way.label}: ${(error as Error).message}`);
    }
  }
  return { places, missing };
}

async function startPlace(engine: Engine, way: Way, { client, ports }: Outside): Promise<Place> {
  const name = `tsrun-bench-${way.name}`;
  const published: Ports = { iperf3: await freePort(), exchange: await freePort() };
  const remove = async (): Promise<void> => {
    for (const one of [name, `${name}-2`]) await engine.room.run(engine.command('rm', '-f', one));
  };
  const run = ['run', '-d', '--network', way.network];
  const publish = (['iperf3', 'exchange'] as const).flatMap((at) => ['-p', `${published[at]}:${INSIDE[at]}`]);
  const command = [engine.reference(IMAGE), 'sh', '-c', SERVERS];
  try {
    await engine.run(...run, '--name', name, ...publish, ...command);
    if (way.beside) await engine.run(...run, '--name', `${name}-2`, ...command);
    await untilListening(client, published.exchange);
    const elsewhere = hostAddress();
    const out = await hostFrom(engine, name);
    return {
      name: way.name,
      label: `${engine.label}, ${way.label}`,
      routes: {
        ...(out !== undefined && { out: { client: clientIn(engine, name), address: out, ports } }),
        published: { client, address: '127.0.0.1', ports: published },
        ...(elsewhere !== undefined && { elsewhere: { client, address: elsewhere, ports: published } }),
        ...(way.beside && {
          beside: {
            client: clientIn(engine, `${name}-2`),
            address: (await engine.run('exec', name, 'hostname', '-i')).stdout.trim().split(' ')[0] ?? '',
            ports: INSIDE,
          },
        }),
      },
      [Symbol.asyncDispose]: remove,
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

const clientIn =
  (engine: Engine, container: string): Client =>
  async (program, ...words) =>
    (await engine.run('exec', container, program, ...words)).stdout;

/** Where a container finds its host, by its own /etc/hosts. */
async function hostFrom(engine: Engine, container: string): Promise<string | undefined> {
  const { stdout } = await engine.run('exec', container, 'cat', '/etc/hosts');
  return /^(\d[\d.]+)\s.*\bhost\.containers\.internal\b/m.exec(stdout)?.[1];
}

async function untilListening(client: Client, port: number): Promise<void> {
  const end = Date.now() + LISTEN_MS;
  for (;;) {
    try {
      await client('exchange', 'dial', '127.0.0.1', String(port), '1', 'connections');
      return;
    } catch (error) {
      if (Date.now() > end) throw error;
      await sleep(50);
    }
  }
}
