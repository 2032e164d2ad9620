/** What is measured of a network, and against which budget. More is better throughout. */
import type { Route, RouteName } from './routes.ts';

/** At least `factor` times what `of` reaches. */
export interface NetworkBudget {
  place: string;
  factor: number;
  of: string;
}

export interface NetworkMeasure {
  name: string;
  title: string;
  unit: 'Gbit/s' | '/s';
  route: RouteName;
  budgets: readonly NetworkBudget[];
  /** It is measured at each MTU. */
  eachMtu?: true;
  udp?: true;
  /** How often in a round; once, if it is left out. */
  passes?: number;
  sample(route: Route): Promise<number>;
}

const SECONDS = '1';
const MS = '250';
/** Of each place in a round, one after the other: something that slows the machine for a second meets all of them. */
const PASSES = 3;

interface Iperf3Result {
  error?: string;
  end: { sum_received?: { bits_per_second: number } };
}

/** One TCP stream, in Gbit/s that arrived; with `-R` the server sends. */
const stream =
  (...more: string[]) =>
  async ({ client, address, ports }: Route): Promise<number> => {
    const words = ['-c', address, '-p', String(ports.iperf3), '-t', SECONDS, '-J', ...more];
    const { error, end } = JSON.parse(await client('iperf3', ...words)) as Iperf3Result;
    if (!end.sum_received) throw new Error(`iperf3: ${error ?? 'nothing arrived'}`);
    return end.sum_received.bits_per_second / 1e9;
  };

/** What arrives of datagrams that are sent as fast as possible, of the size that fits everywhere, in Gbit/s. */
const datagrams = stream('-u', '-b', '0', '-l', '1400');

/** Requests of HTTP in a second by ab, 16 at once. */
const requests =
  (...more: string[]) =>
  async ({ client, address, ports }: Route): Promise<number> => {
    const words = ['-q', ...more, '-c', '16', '-t', SECONDS, '-n', '1000000'];
    const said = await client('ab', ...words, `http://${address}:${ports.http}/`);
    const [, rate] = /^Requests per second: +([\d.]+)/m.exec(said) ?? [];
    if (rate === undefined || !/^Failed requests: +0$/m.test(said)) throw new Error(`ab: ${said}`);
    return Number(rate);
  };

const rate =
  (what: 'connections' | 'requests') =>
  async ({ client, address, ports }: Route): Promise<number> =>
    Number(await client('exchange', 'dial', address, String(ports.exchange), MS, what));

const budget = (place: string, factor: number, of: string): NetworkBudget => ({ place, factor, of });
const published = (of = 'loopback', factor = 0.9): NetworkBudget[] =>
  ['forwarder', 'bridge'].map((place) => budget(place, factor, of));

type Sample = NetworkMeasure['sample'];
const streams = (name: string, title: string, route: RouteName, sample: Sample, budgets: NetworkBudget[]) =>
  ({ name, title, unit: 'Gbit/s', route, budgets, sample }) as const;
const rates = (name: string, title: string, route: RouteName, sample: Sample, budgets: NetworkBudget[]) =>
  ({ name, title, unit: '/s', route, budgets, sample }) as const;
const inPasses = (measure: NetworkMeasure): NetworkMeasure => ({ ...measure, passes: PASSES });

const each = (measure: NetworkMeasure): NetworkMeasure => ({ ...measure, eachMtu: true });
const udp = (name: string, title: string, route: RouteName): NetworkMeasure => ({
  ...streams(name, title, route, datagrams, []),
  udp: true,
});

export const NETWORK_MEASURES: readonly NetworkMeasure[] = [
  // A container with a slirp4netns of its own goes out by that: the budget is the bridge's.
  each(streams('network-out', 'container → host', 'out', stream(), [budget('bridge', 2, 'slirp4netns')])),
  each(streams('network-out-down', '… down', 'out', stream('-R'), [budget('bridge', 2, 'slirp4netns')])),
  udp('network-out-udp', '… UDP', 'out'),
  each(streams('network-in', 'host → published port', 'published', stream(), published())),
  each(streams('network-in-down', '… down', 'published', stream('-R'), published())),
  streams('network-elsewhere', '… by the host’s address', 'elsewhere', stream(), published()),
  streams('network-elsewhere-down', '… down', 'elsewhere', stream('-R'), published()),
  udp('network-in-udp', '… UDP', 'published'),
  inPasses(
    rates('network-connections', 'new connections', 'published', rate('connections'), [
      ...published('podman5-pasta', 3),
    ]),
  ),
  inPasses(rates('network-requests', 'requests on one connection', 'published', rate('requests'), [])),
  rates('network-ab', 'ab -c 16', 'published', requests(), []),
  rates('network-ab-kept', 'ab -k -c 16', 'published', requests('-k'), []),
  each(
    streams('network-beside', 'container ↔ container', 'beside', stream(), [budget('bridge', 0.9, 'veth')]),
  ),
  udp('network-beside-udp', '… UDP', 'beside'),
  inPasses(rates('network-beside-connections', 'new connections', 'beside', rate('connections'), [])),
  rates('network-beside-ab', 'ab -c 16', 'beside', requests(), []),
];
