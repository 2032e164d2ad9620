/**
 * Round after round, everything is measured once, each time beginning with another engine, so that whatever else the machine does, and
 * whatever a command leaves in the caches, meets all of them alike. The first round only warms up.
 */
import type { Engine, EngineName } from './engine.ts';
import type { Floor } from './floors.ts';
import { removeHolder, startHolder } from './holder.ts';
import type { Measurement, Moment } from './measurements.ts';
import { median } from './statistics.ts';

export interface Samples {
  /** Measurement → engine → milliseconds, or why it failed. */
  readonly engines: Map<string, Map<EngineName, number[] | string>>;
  readonly floors: Map<Floor['name'], number[]>;
}

export interface Plan {
  engines: readonly Engine[];
  floors: readonly Floor[];
  measurements: readonly Measurement[];
  rounds: number;
  scratch: string;
  progress(line: string): void;
}

export async function measure(plan: Plan): Promise<Samples> {
  const samples: Samples = { engines: new Map(), floors: new Map() };
  for (let round = 0; plan.measurements.length > 0 && round <= plan.rounds; round++) {
    plan.progress(round === 0 ? 'warming up' : `round ${round} of ${plan.rounds}`);
    await smallRound(plan, samples, round);
  }
  return samples;
}

async function smallRound(plan: Plan, samples: Samples, round: number): Promise<void> {
  await takeTurns(plan, samples, round, 'alone');
  await takeFloors(plan, samples, round);
  const needsHolder = plan.measurements.some(({ moment }) => moment === 'beside' || moment === 'stop');
  if (!needsHolder) return;
  try {
    for (const engine of plan.engines) await startHolder(engine);
    await takeTurns(plan, samples, round, 'beside');
    await takeFloors(plan, samples, round);
    await takeTurns(plan, samples, round, 'stop');
  } finally {
    for (const engine of plan.engines) await removeHolder(engine);
  }
}

async function takeFloors({ floors }: Plan, samples: Samples, round: number): Promise<void> {
  for (const floor of floors) {
    const ms = await floor.sample();
    if (round > 0) samples.floors.set(floor.name, [...(samples.floors.get(floor.name) ?? []), ms]);
  }
}

async function takeTurns(plan: Plan, samples: Samples, round: number, when: Moment): Promise<void> {
  for (const measurement of plan.measurements.filter(({ moment }) => moment === when)) {
    const of = samples.engines.get(measurement.name) ?? new Map<EngineName, number[] | string>();
    samples.engines.set(measurement.name, of);
    for (const engine of rotated(plan.engines, round)) {
      const before = of.get(engine.name) ?? [];
      if (typeof before === 'string' || measurement.engines?.includes(engine.name) === false) continue;
      try {
        const ms = await measurement.sample(engine, plan.scratch);
        of.set(engine.name, round > 0 ? [...before, ms] : before);
      } catch (error) {
        of.set(engine.name, (error as Error).message);
      }
    }
  }
}

const rotated = <T>(list: readonly T[], by: number): T[] => {
  const at = by % Math.max(1, list.length);
  return [...list.slice(at), ...list.slice(0, at)];
};

/** Lists of samples → medians; a failure stays its text. */
export const mediansOf = (of: ReadonlyMap<EngineName, number[] | string>): Map<EngineName, number | string> =>
  new Map([...of].map(([name, value]) => [name, typeof value === 'string' ? value : median(value)]));
