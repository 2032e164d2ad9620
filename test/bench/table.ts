/** The result: a table in Markdown, which reads as well on a terminal. */
import { type Budget, judge, sayBudget } from './budgets.ts';
import type { EngineName } from './engine.ts';
import type { Floor } from './floors.ts';

export interface Row {
  name: string;
  title: string;
  unit: 'ms' | 'KiB';
  budgets: readonly Budget[];
  /** Medians; an engine that is absent was not measured, one with a text failed. */
  values: ReadonlyMap<EngineName, number | string>;
}

/** Medians of the floors. */
export type FloorValues = ReadonlyMap<Floor['name'], number>;

export interface Heading {
  name: EngineName;
  label: string;
}

const number = (value: number, unit: Row['unit']): string =>
  unit === 'ms' && value < 100 ? value.toFixed(1) : value.toFixed(0);

function cell(row: Row, engine: EngineName): string {
  const value = row.values.get(engine);
  if (value === undefined) return '–';
  if (typeof value === 'string') return 'failed';
  const own = row.values.get('tsrun');
  const text = number(value, row.unit);
  return engine === 'tsrun' || typeof own !== 'number' ? text : `${text} (${(own / value).toFixed(2)})`;
}

function fastestOther({ values }: Row): number | undefined {
  const others = [...values].flatMap(([name, value]) =>
    name !== 'tsrun' && typeof value === 'number' ? [value] : [],
  );
  return others.length === 0 ? undefined : Math.min(...others);
}

/** @returns the cells of a row, and whether it is over a budget */
function rowCells(row: Row, engines: readonly Heading[], rows: readonly Row[], floors: FloorValues) {
  const measured = (name: EngineName, of: Row): number | undefined => {
    const value = of.values.get(name);
    return typeof value === 'number' ? value : undefined;
  };
  const value = measured('tsrun', row);
  const node = row.unit === 'ms' ? floors.get('node') : undefined;
  const facts = {
    node: floors.get('node'),
    podman5: measured('podman5', row),
    fastest: fastestOther(row),
    tsrun: (name: string) =>
      rows.filter((other) => other.name === name).map((other) => measured('tsrun', other))[0],
  };
  const verdict = value === undefined ? 'failed' : judge(row.budgets, { value, ...facts });
  return [
    `${row.title}, ${row.unit}`,
    ...engines.map(({ name }) => cell(row, name)),
    value !== undefined && node !== undefined ? (value / node).toFixed(2) : '',
    row.budgets.map(sayBudget).join(', '),
    verdict,
  ];
}

/** The whole table. Behind a peer's median, in parentheses: tsrun's as a part of it. */
export function renderTable(rows: readonly Row[], engines: readonly Heading[], floors: FloorValues): string {
  const heading = ['', ...engines.map(({ label }) => label), '÷ node', 'budget', ''];
  const lines = [heading, ...rows.map((row) => rowCells(row, engines, rows, floors))];
  const floorLines = [...floors].map(([name, value]) => [
    name === 'node' ? '`node -e 0`, ms' : `${name}, ms`,
    number(value, 'ms'),
    ...heading.slice(2).map(() => ''),
  ]);
  const all = [...lines, ...floorLines];
  const widths = heading.map((_, column) => Math.max(3, ...all.map((line) => (line[column] ?? '').length)));
  const render = (line: readonly string[]): string =>
    `| ${widths.map((width, column) => (line[column] ?? '').padEnd(width)).join(' | ')} |`;
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`;
  return [render(heading), rule, ...all.slice(1).map(render), ''].join('\n');
}

/** Every budget that could be judged is kept. */
export const allKept = (rows: readonly Row[], floors: FloorValues): boolean =>
  rows.every((row) => {
    const verdict = rowCells(row, [], rows, floors).at(-1);
    return verdict === 'OK' || verdict === '–';
  });
