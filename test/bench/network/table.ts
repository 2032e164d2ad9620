/** The result: one line for each way to connect containers, each figure with its part of the bare limit, and the verdicts. */
import { median } from '../statistics.ts';
import type { NetworkBudget, NetworkMeasure } from './measures.ts';
import type { Place, RouteName } from './routes.ts';

/** Measure → place → samples, or why it failed. */
export type NetworkSamples = ReadonlyMap<string, ReadonlyMap<string, number[] | string>>;

/**
 * Measure → how many microseconds it took to wake another processor, before each sample of it. In a virtual machine whose host puts idle processors
 * to sleep that is some 30, or hundreds: what needs several processes for each connection is then slow, and the bare loopback, whose
 * ends have one processor, is not.
 */
export type Wakes = ReadonlyMap<string, number[]>;

const wakeCell = (values: readonly number[] = []): string =>
  values.length === 0 ? '–' : `${median(values).toFixed(0)}, at most ${Math.max(...values).toFixed(0)}`;

const middleOf = (samples: NetworkSamples, measure: string, place: string): number | undefined => {
  const values = samples.get(measure)?.get(place);
  return values === undefined || typeof values === 'string' || values.length === 0
    ? undefined
    : median(values);
};

/** What cannot be beaten on a route: in brackets is which part of that something reaches. */
const limitOf = (route: RouteName): string => (route === 'beside' ? 'veth' : 'loopback');

function cell(samples: NetworkSamples, { name, unit, route }: NetworkMeasure, place: string): string {
  const values = samples.get(name)?.get(place);
  if (values === undefined) return '–';
  const value = middleOf(samples, name, place);
  if (value === undefined) return 'failed';
  const limit = middleOf(samples, name, limitOf(route));
  const part = limit === undefined || place === limitOf(route) ? '' : ` (${(value / limit).toFixed(2)})`;
  return `${value.toFixed(unit === 'Gbit/s' ? 2 : 0)}${part}`;
}

export function renderNetworkTable(
  measures: readonly NetworkMeasure[],
  places: readonly Pick<Place, 'name' | 'label'>[],
  samples: NetworkSamples,
  wakes: Wakes = new Map(),
): string {
  const lines = [
    ['', ...measures.map(({ title, unit }) => `${title}, ${unit}`)],
    ['---', ...measures.map(() => '---')],
    ...places.map(({ name, label }) => [label, ...measures.map((measure) => cell(samples, measure, name))]),
    ['waking another processor, µs', ...measures.map(({ name }) => wakeCell(wakes.get(name)))],
  ];
  return lines.map((line) => `| ${line.join(' | ')} |`).join('\n');
}

export interface Verdict {
  text: string;
  kept: boolean;
}

/** One for each budget of which both sides were measured; a side of ours that failed is not kept. */
export function judgeNetwork(measures: readonly NetworkMeasure[], samples: NetworkSamples): Verdict[] {
  return measures.flatMap((measure) => measure.budgets.flatMap((budget) => judge(measure, budget, samples)));
}

function judge(
  { name }: NetworkMeasure,
  { place, factor, of }: NetworkBudget,
  samples: NetworkSamples,
): Verdict[] {
  const limit = middleOf(samples, name, of);
  const value = middleOf(samples, name, place);
  const said = `${name}, ${place}: at least ${factor} × ${of}`;
  if (typeof samples.get(name)?.get(place) === 'string') return [{ text: `${said}: failed`, kept: false }];
  if (limit === undefined || value === undefined) return [];
  const ratio = value / limit;
  return [
    { text: `${said}: ${ratio.toFixed(2)} ×${ratio < factor ? ', under' : ''}`, kept: ratio >= factor },
  ];
}

/** Why things failed, one line each. */
export const networkFailures = (samples: NetworkSamples): string[] =>
  [...samples].flatMap(([measure, of]) =>
    [...of].flatMap(([place, values]) =>
      typeof values === 'string' ? [`${measure}, ${place}: ${values}`] : [],
    ),
  );
