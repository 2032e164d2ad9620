/**
 * How fast containers' networks are, ours beside others', in RootlessKit's manner: one TCP stream by iperf3, requests and new connections in
 * a second, out of a container, into a published port, and between two containers.
 *
 * All containers run at once and are idle but for the one that is measured. Each round measures everything once, beginning with
 * another one each time.
 */
import { loadavg } from 'node:os';
import type { Registry } from '../../support/registry.ts';
import type { Engine } from '../engine.ts';
import { bareRelays, clientHere, loopback, serveHere, vethPair } from './bare.ts';
import { type RootlessDocker, startDocker } from './docker.ts';
import { IMAGE, makePrograms, type Programs, pushImage } from './image.ts';
import { NETWORK_MEASURES, type NetworkMeasure } from './measures.ts';
import { type Outside, startPlaces } from './places.ts';
import type { Place } from './routes.ts';
import {
  judgeNetwork,
  type NetworkSamples,
  networkFailures,
  renderNetworkTable,
  type Wakes,
} from './table.ts';

/** The default MTU of our bridges. */
const MTU = 65_520;
/** The others that are measured, as in RootlessKit's tables, by streams alone. */
const OTHER_MTUS = [16_384, 4_000, 1_500];

export interface NetworkPlan {
  measures: readonly NetworkMeasure[];
  engines: readonly Engine[];
  registry: Registry;
  rounds: number;
  /** One MTU is enough. */
  quick: boolean;
  scratch: string;
  progress(line: string): void;
}

/** Measures and prints. True when no budget is exceeded. */
export async function networkReport(plan: NetworkPlan): Promise<boolean> {
  const { engines, registry, scratch, progress, measures } = plan;
  let programs: Programs;
  try {
    programs = makePrograms(scratch);
  } catch (error) {
    console.log(`Not measured: network: ${(error as Error).message}`);
    return true;
  }
  await pushImage(registry.host, programs);
  for (const engine of engines) await engine.pull(IMAGE);
  using servers = await serveHere(programs);
  await using docker = await dockerOf(plan);
  const plans = docker ? { ...plan, engines: [...engines, docker.engine] } : plan;
  const here = {
    programs,
    client: clientHere(programs, scratch),
    ports: servers.ports,
    onOne: servers.onOne,
  };
  progress('starting containers of all networks');
  const samples = await reportPlaces(plans, here);
  const verdicts = judgeNetwork(measures, samples);
  for (const { text } of verdicts) console.log(text);
  const others = measures.filter(({ eachMtu }) => eachMtu);
  for (const mtu of plan.quick || others.length === 0 ? [] : OTHER_MTUS) {
    progress(`the same with MTU ${mtu}`);
    console.log(`\nMTU ${mtu}:\n`);
    await reportPlaces({ ...plans, measures: others }, { ...here, mtu });
  }
  console.log(`Load average at the end: ${loadavg()[0]?.toFixed(1)}`);
  return verdicts.every(({ kept }) => kept);
}

/** Undefined when it does not start here, which is said. */
async function dockerOf({
  engines,
  registry,
  scratch,
  progress,
}: NetworkPlan): Promise<RootlessDocker | undefined> {
  const tsrun = engines.find(({ name }) => name === 'tsrun');
  if (!tsrun) return undefined;
  progress("starting docker's rootless daemon");
  try {
    return await startDocker(registry, tsrun, scratch);
  } catch (error) {
    console.log(`Not measured: network, docker rootless: ${(error as Error).message}`);
    return undefined;
  }
}

/** A table of all places. */
async function reportPlaces(plan: NetworkPlan, here: Outside): Promise<NetworkSamples> {
  const { client, ports, onOne, programs, mtu = MTU } = here;
  await using stack = new AsyncDisposableStack();
  const bare = [
    loopback(client, onOne),
    ...(await bareRelays(client, programs, ports)).map((place) => stack.use(place)),
    stack.use(await vethPair(programs, plan.scratch, mtu)),
  ];
  const started = await startPlaces(plan.engines, here);
  const places = [...started.places.map((place) => stack.use(place)), ...bare];
  const wakes: Wakes = new Map(plan.measures.map(({ name }) => [name, []]));
  const samples = await measureRounds(plan, places, async ({ name }) => {
    wakes.get(name)?.push(Number(await client('exchange', 'wake')));
  });
  console.log(renderNetworkTable(plan.measures, places, samples, wakes));
  for (const line of started.missing) console.log(`Not measured: ${line}`);
  for (const line of networkFailures(samples)) console.log(`Failed: ${line}`);
  return samples;
}

/** @param before is called before each sample */
async function measureRounds(
  { measures, rounds, progress }: NetworkPlan,
  places: readonly Place[],
  before: (measure: NetworkMeasure) => Promise<void>,
): Promise<NetworkSamples> {
  const samples = new Map(measures.map(({ name }) => [name, new Map<string, number[] | string>()]));
  for (let round = 1; round <= rounds; round++) {
    progress(`network, round ${round} of ${rounds}`);
    const turn = round % places.length;
    const order = [...places.slice(turn), ...places.slice(0, turn)];
    for (const measure of measures) {
      for (const place of Array.from({ length: measure.passes ?? 1 }, () => order).flat()) {
        await before(measure);
        await takeSample(measure, place, samples.get(measure.name));
      }
    }
  }
  return samples;
}

async function takeSample(
  { name: measure, route, sample }: NetworkMeasure,
  { name, routes, only }: Place,
  of: Map<string, number[] | string> | undefined,
): Promise<void> {
  const way = routes[route];
  const before = of?.get(name) ?? [];
  if (!way || (only && !only.includes(measure)) || typeof before === 'string') return;
  try {
    const value = await sample(way);
    of?.set(name, [...before, value]);
  } catch (error) {
    of?.set(name, (error as Error).message);
  }
}

export const wantedNetworkMeasures = (isWanted: (name: string) => boolean): NetworkMeasure[] =>
  NETWORK_MEASURES.filter(({ name }) => isWanted(name));
