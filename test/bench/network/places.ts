/** Containers of each engine, by each of its ways to connect them. */
import { networkInterfaces } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Engine, EngineName } from '../engine.ts';
import { freePorts } from './bare.ts';
import { IMAGE, type Programs } from './image.ts';
import type { Client, Place, Ports } from './routes.ts';

interface Way {
  name: string;
  engine: EngineName;
  label: string;
  /** What `--network` is, besides the options of `mtu`. */
  network: string;
  /** How `--network` says the MTU; undefined: it is a bridge, which is made with it. */
  mtu?: (mtu: number) => string;
  /** What `network create --opt` calls it. */
  mtuOption?: string;
  /** Two containers of this network reach each other. */
  beside?: boolean;
}

const ofSlirp4netns = (mtu: number): string => `mtu=${mtu}`;
const ofPasta = (mtu: number): string => `--mtu,${mtu}`;

const WAYS: readonly Way[] = [
  {
    name: 'forwarder',
    engine: 'tsrun',
    label: 'forwarder over slirp4netns',
    network: 'slirp4netns',
    mtu: ofSlirp4netns,
  },
  { name: 'pasta', engine: 'tsrun', label: 'pasta', network: 'pasta', mtu: ofPasta },
  { name: 'bridge', engine: 'tsrun', label: 'bridge', network: 'bridge', beside: true },
  { name: 'podman5-pasta', engine: 'podman5', label: 'pasta', network: 'pasta', mtu: ofPasta },
  { name: 'podman5-bridge', engine: 'podman5', label: 'bridge', network: 'bridge', beside: true },
  {
    name: 'rootlessport',
    engine: 'podman4',
    label: 'slirp4netns + rootlessport',
    network: 'slirp4netns',
    mtu: ofSlirp4netns,
  },
  {
    name: 'slirp4netns',
    engine: 'podman4',
    label: 'slirp4netns',
    network: 'slirp4netns:port_handler=slirp4netns',
    mtu: ofSlirp4netns,
  },
  {
    // Its default bridge has 1500, whatever the uplink's is.
    name: 'docker',
    engine: 'docker',
    label: 'bridge + rootlesskit builtin',
    network: 'bridge',
    mtuOption: 'com.docker.network.driver.mtu',
    beside: true,
  },
];

const INSIDE: Ports = { iperf3: 5201, exchange: 7000, http: 7001 };
const SERVERS = `iperf3 -s -p ${INSIDE.iperf3} >/dev/null 2>&1 & exchange http ${INSIDE.http} & exec exchange serve ${INSIDE.exchange}`;
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
  /** The same, for the bare loopback. */
  onOne: Ports;
  /** Another MTU than each way's own. */
  mtu?: number | undefined;
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

async function startPlace(engine: Engine, way: Way, { client, ports, mtu }: Outside): Promise<Place> {
  const name = `tsrun-bench-${way.name}`;
  const published = await freePorts();
  const remove = async (): Promise<void> => {
    for (const one of [name, `${name}-2`]) await engine.room.run(engine.command('rm', '-f', one));
    if (mtu !== undefined && !way.mtu) await engine.room.run(engine.command('network', 'rm', name));
  };
  const run = ['run', '-d', '--network', networkWord(way, name, mtu)];
  const publish = [
    ...(['iperf3', 'exchange', 'http'] as const).map((at) => `${published[at]}:${INSIDE[at]}`),
    `${published.iperf3}:${INSIDE.iperf3}/udp`,
  ].flatMap((mapping) => ['-p', mapping]);
  const command = [engine.reference(IMAGE), 'sh', '-c', SERVERS];
  try {
    if (mtu !== undefined && !way.mtu) {
      await engine.run('network', 'create', '--opt', `${way.mtuOption ?? 'mtu'}=${mtu}`, name);
    }
    await engine.run(...run, '--name', name, ...publish, ...command);
    if (way.beside) await engine.run(...run, '--name', `${name}-2`, ...command);
    await untilListening(client, published.exchange);
    const elsewhere = hostAddress();
    const out = (await hostFrom(engine, name)) ?? elsewhere;
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

function networkWord({ network, mtu: say }: Way, own: string, mtu: number | undefined): string {
  if (mtu === undefined) return network;
  return say ? `${network}${network.includes(':') ? ',' : ':'}${say(mtu)}` : own;
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
