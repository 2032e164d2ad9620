/**
 * How long it takes to pull images of several sizes into an empty store, and how much memory the largest process takes on the way.
 *
 * What another engine has left to be written is written before each pull. Stores are removed after the last one: ext4 looks at each inode
 * that became free in the last minute before it makes a new file, which costs every engine seconds and hides what is theirs.
 */
import { execFileSync } from 'node:child_process';
import { statfsSync } from 'node:fs';
import type { TestImageName } from '../../support/images.ts';
import type { Registry } from '../../support/registry.ts';
import type { Budget } from '../budgets.ts';
import type { Engine, EngineName } from '../engine.ts';
import { median } from '../statistics.ts';
import { allKept, type Row, renderTable } from '../table.ts';
import { largestProcess } from './peak.ts';
import { makePullers, type Puller, removeIfThere, storeOf } from './pullers.ts';

const HALF_OF_PODMAN: readonly Budget[] = [{ kind: 'podman5', part: 0.5 }, { kind: 'fastest' }];

export interface PullMeasure {
  name: string;
  image: TestImageName;
  title: string;
  slow: boolean;
  budgets: readonly Budget[];
}

const pull = (
  image: TestImageName,
  what: string,
  slow: boolean,
  budgets: readonly Budget[],
): PullMeasure => ({
  ...{ name: `pull-${image}`, image, title: `\`pull\`: ${what}`, slow, budgets },
});

export const PULLS: readonly PullMeasure[] = [
  pull('busybox', 'busybox', false, [{ kind: 'fastest' }]),
  pull('apache', 'Apache, 5 layers, 35 MB', false, [{ kind: 'fastest' }]),
  pull('debian', 'Debian, one layer, 48 MB', true, [{ kind: 'fastest' }]),
  pull('large', 'one layer, 65 MB', true, HALF_OF_PODMAN),
  pull('larger', '5 layers, 144 MB', true, HALF_OF_PODMAN),
  pull('layered', '40 layers, 40 MB', true, [{ kind: 'fastest' }]),
];

/** 150 MB */
const MEMORY: readonly Budget[] = [{ kind: 'KiB', most: 146_484 }];
/** What all stores of a round may take; with less free than that those of earlier rounds are removed. */
const ROOM_BYTES = 12e9;

export interface PullPlan {
  measures: readonly PullMeasure[];
  engines: readonly Engine[];
  registry: Registry;
  rounds: number;
  scratch: string;
  progress(line: string): void;
}

type Values = Map<EngineName, number[] | string>;

/** Measures and prints. True when no budget is exceeded. */
export async function pullReport(plan: PullPlan): Promise<boolean> {
  for (const { image } of plan.measures) await plan.registry.push(image);
  const { pullers, missing } = await makePullers(plan.engines);
  const stores = new Stores(plan.scratch);
  const times = new Map<PullMeasure, Values>();
  const peaks = new Map<PullMeasure, Values>();
  try {
    for (let round = 0; round <= plan.rounds; round++) {
      plan.progress(`pull, ${round === 0 ? 'memory' : `round ${round} of ${plan.rounds}`}`);
      for (const measure of plan.measures) {
        for (const puller of rotated(pullers, round)) {
          await sample(round === 0 ? peaks : times, measure, puller, () =>
            round === 0
              ? largestProcess(() => stores.pull(puller, measure.image))
              : stores.pull(puller, measure.image),
          );
        }
      }
    }
  } finally {
    await stores.removeAll();
  }
  const rows = [...rowsOf(times, 'ms'), ...rowsOf(peaks, 'KiB')];
  console.log(renderTable(rows, pullers, new Map()));
  for (const line of missing) console.log(`Not measured: ${line}`);
  for (const { name, values } of rows)
    for (const [engine, value] of values)
      if (typeof value === 'string') console.log(`Failed: ${name}, ${engine}: ${value}`);
  return allKept(rows, new Map());
}

const rotated = <T>(list: readonly T[], by: number): T[] => {
  const at = by % Math.max(1, list.length);
  return [...list.slice(at), ...list.slice(0, at)];
};

async function sample(
  all: Map<PullMeasure, Values>,
  measure: PullMeasure,
  { name }: Puller,
  take: () => Promise<number>,
): Promise<void> {
  const of: Values = all.get(measure) ?? new Map();
  all.set(measure, of);
  const before = of.get(name) ?? [];
  if (typeof before === 'string') return;
  try {
    of.set(name, [...before, await take()]);
  } catch (error) {
    of.set(name, (error as Error).message);
  }
}

const rowsOf = (samples: ReadonlyMap<PullMeasure, Values>, unit: Row['unit']): Row[] =>
  [...samples].map(([{ name, title, budgets }, of]) => ({
    name: unit === 'ms' ? name : `${name}-memory`,
    title: unit === 'ms' ? title : `largest process, ${title}`,
    unit,
    budgets: unit === 'ms' ? budgets : MEMORY,
    values: new Map(
      [...of].map(([engine, value]) => [engine, typeof value === 'string' ? value : median(value)]),
    ),
  }));

/** The stores that were pulled into. */
class Stores {
  readonly #scratch: string;
  readonly #made: { puller: Puller; directory: string }[] = [];
  #count = 0;

  constructor(scratch: string) {
    this.#scratch = scratch;
  }

  async pull(puller: Puller, image: TestImageName): Promise<number> {
    const { bavail, bsize } = statfsSync(this.#scratch);
    if (bavail * bsize < ROOM_BYTES) await this.removeAll();
    const directory = storeOf(this.#scratch, puller, this.#count++);
    this.#made.push({ puller, directory });
    execFileSync('sync', ['-f', this.#scratch]);
    return await puller.pull(directory, image);
  }

  async removeAll(): Promise<void> {
    for (const { puller, directory } of this.#made.splice(0)) await removeIfThere(puller, directory);
  }
}

export const wantedPulls = (isWanted: (name: string, slow: boolean) => boolean): PullMeasure[] =>
  PULLS.filter(({ name, slow }) => isWanted(name, slow));
