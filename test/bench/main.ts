/**
 * `npm run bench`: how long things take, beside rootless podman and the bare minimum, against the budgets of the design.
 *
 * Runs as an ordinary user; src/setup/bench.sh sets everything up. Exit status 1 when a budget is exceeded or something of tsrun failed.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type Registry, startRegistry } from '../support/registry.ts';
import { removeStore, temporaryStore } from '../support/store.ts';
import type { Engine, EngineName } from './engine.ts';
import { type Engines, makeEngines, removePeers } from './engines.ts';
import { type Floors, makeFloors } from './floors.ts';
import { startHundred } from './hundred.ts';
import { MEASUREMENTS, type Measurement } from './measurements.ts';
import { memoryPerContainer } from './memory.ts';
import { networkReport, wantedNetworkMeasures } from './network/network.ts';
import { type BenchOptions, parseOptions, USAGE } from './options.ts';
import { pullReport, wantedPulls } from './pull/pull.ts';
import { here } from './room.ts';
import { measure, mediansOf, type Samples } from './rounds.ts';
import { median } from './statistics.ts';
import { allKept, type Row, renderTable } from './table.ts';

const progress = (line: string): void => void process.stderr.write(`bench: ${line}\n`);

const isWanted = ({ only, quick }: BenchOptions, name: string, slow = false): boolean =>
  (only.length === 0 || only.some((part) => name.includes(part))) && !(quick && slow);

const MEMORY = [
  { name: 'memory-none', title: 'memory of a detached container, PSS', published: false, most: 100 },
  { name: 'memory-port', title: '… with a published port', published: true, most: 300 },
] as const;

async function memoryRows(options: BenchOptions, engines: readonly Engine[]): Promise<Row[]> {
  const rows: Row[] = [];
  for (const { name, title, published, most } of MEMORY.filter((what) => isWanted(options, what.name))) {
    progress(name);
    const values = new Map<EngineName, number | string>();
    for (const engine of engines) {
      values.set(
        engine.name,
        await memoryPerContainer(engine, published).catch((error: unknown) => (error as Error).message),
      );
    }
    rows.push({ name, title, unit: 'KiB', budgets: [{ kind: 'KiB', most }], values });
  }
  return rows;
}

const timeRows = (measurements: readonly Measurement[], samples: Samples): Row[] =>
  measurements.map(({ name, title, budgets }) => ({
    name,
    title,
    unit: 'ms',
    budgets,
    values: mediansOf(samples.engines.get(name) ?? new Map()),
  }));

/** In the order in which they are to be read. */
function ordered(measurements: readonly Measurement[], hundred: Measurement | undefined): Measurement[] {
  return measurements.flatMap((one) => (one.name === 'ps' && hundred ? [one, hundred] : [one]));
}

function printNotes(rows: readonly Row[], missing: readonly string[]): void {
  for (const line of missing) console.log(`Not measured: ${line}`);
  for (const row of rows) {
    for (const [engine, value] of row.values) {
      if (typeof value === 'string') console.log(`Failed: ${row.name}, ${engine}: ${value}`);
    }
  }
}

interface SetUp {
  registry: Registry;
  peers: Engines;
  floors: Floors;
  scratch: string;
}

/** Measures and prints. True when no budget is exceeded. */
async function report(options: BenchOptions, wanted: readonly Measurement[], setUp: SetUp): Promise<boolean> {
  const { registry, peers, floors, scratch } = setUp;
  const { engines } = peers;
  const rows = await memoryRows(options, engines);
  const withHundred = isWanted(options, 'ps-100', true);
  if (withHundred) progress('starting a hundred containers');
  await using hundred = withHundred ? await startHundred(registry, here(scratch)) : undefined;
  const measurements = ordered(wanted, hundred?.measurement);
  const { rounds } = options;
  const samples = await measure({ engines, floors: floors.floors, measurements, rounds, scratch, progress });
  rows.unshift(...timeRows(measurements, samples));
  const medians = new Map([...samples.floors].map(([name, values]) => [name, median(values)]));
  console.log(renderTable(rows, engines, medians));
  printNotes(rows, [...peers.missing, ...floors.missing]);
  return allKept(rows, medians);
}

async function bench(options: BenchOptions): Promise<boolean> {
  // Below the home directory, which the rooms of the peers share with us.
  const scratch = await mkdtemp(join(homedir(), '.tsrun-bench-'));
  const store = await temporaryStore();
  try {
    await using registry = await startRegistry();
    progress('building and pushing the images');
    await registry.push('busybox');
    await registry.push('apache');
    const wanted = MEASUREMENTS.filter(({ name }) => isWanted(options, name));
    const peers = await makeEngines(registry, store, scratch);
    const floors = await makeFloors(scratch);
    const measures = wantedNetworkMeasures((name) => isWanted(options, name));
    try {
      let kept = await report(options, wanted, { registry, peers, floors, scratch });
      const rounds = Math.ceil(options.rounds / 3);
      const plan = { engines: peers.engines, registry, rounds, scratch, progress };
      const pulls = wantedPulls((name, slow) => isWanted(options, name, slow));
      if (pulls.length > 0) kept = (await pullReport({ ...plan, measures: pulls })) && kept;
      if (measures.length > 0)
        kept = (await networkReport({ ...plan, measures, quick: options.quick })) && kept;
      return kept;
    } finally {
      floors.close();
      await removePeers(peers.engines);
    }
  } finally {
    await removeStore(store, [join(import.meta.dirname, '..', '..', 'dist', 'bin', 'tsrun'), 'unshare']);
    await rm(scratch, { recursive: true, force: true });
  }
}

let options: BenchOptions;
try {
  options = parseOptions(process.argv.slice(2));
} catch (error) {
  console.error(`${(error as Error).message}\n${USAGE}`);
  process.exit(2);
}
process.exitCode = (await bench(options)) ? 0 : 1;
