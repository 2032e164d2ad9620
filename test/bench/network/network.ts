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
import { clientHere, loopback, serveHere, vethPair } from './bare.ts';
import { IMAGE, makePrograms, type Programs, pushImage } from './image.ts';
import { NETWORK_MEASURES, type NetworkMeasure } from './measures.ts';
import { startPlaces } from './places.ts';
import type { Place } from './routes.ts';
import { judgeNetwork, type NetworkSamples, networkFailures, renderNetworkTable } from './table.ts';

/** The default MTU of our bridges. */
const MTU = 65_520;

export interface NetworkPlan {
  measures: readonly NetworkMeasure[];
  engines: readonly Engine[];
  registry: Registry;
  rounds: number;
  scratch: string;
  progress(line: string): void;
}

/** Measures and prints. True when no budget is exceeded. */
export async function networkReport(plan: NetworkPlan): Promise<boolean> {
  const { engines, registry, scratch, progress, measures } = plan;
  progress('starting containers of all networks');
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
  const client = clientHere(programs, scratch);
  await using stack = new AsyncDisposableStack();
  const bare = [loopback(client, servers.ports), stack.use(await vethPair(programs, scratch, MTU))];
  const started = await startPlaces(engines, { programs, client, ports: servers.ports });
  const places = [...started.places.map((place) => stack.use(place)), ...bare];
  const samples = await measureRounds(plan, places);
  console.log(renderNetworkTable(measures, places, samples));
  const verdicts = judgeNetwork(measures, samples);
  for (const { text } of verdicts) console.log(text);
  for (const line of started.missing) console.log(`Not measured: ${line}`);
  for (const line of networkFailures(samples)) console.log(`Failed: ${line}`);
  console.log(`Load average at the end: ${loadavg()[0]?.toFixed(1)}`);
  return verdicts.every(({ kept }) => kept);
}

async function measureRounds(
  { measures, rounds, progress }: NetworkPlan,
  places: readonly Place[],
): Promise<NetworkSamples> {
  const samples = new Map(measures.map(({ name }) => [name, new Map<string, number[] | string>()]));
  for (let round = 1; round <= rounds; round++) {
    progress(`network, round ${round} of ${rounds}`);
    const turn = round % places.length;
    const order = [...places.slice(turn), ...places.slice(0, turn)];
    for (const measure of measures) {
      for (const place of order) await takeSample(measure, place, samples.get(measure.name));
    }
  }
  return samples;
}

async function takeSample(
  { route, sample }: NetworkMeasure,
  { name, routes }: Place,
  of: Map<string, number[] | string> | undefined,
): Promise<void> {
  const way = routes[route];
  const before = of?.get(name) ?? [];
  if (!way || typeof before === 'string') return;
  try {
    const value = await sample(way);
    of?.set(name, [...before, value]);
  } catch (error) {
    of?.set(name, (error as Error).message);
  }
}

export const wantedNetworkMeasures = (isWanted: (name: string) => boolean): NetworkMeasure[] =>
  NETWORK_MEASURES.filter(({ name }) => isWanted(name));
