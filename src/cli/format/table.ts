/** Columns as docker prints them: at least ten characters wide, three spaces between, the last one not padded. */
import { printable } from '../../spec/printable.ts';

const LEAST_WIDTH = 10;
const GAP = 3;

/** Lines with a line break each. `rows` hold as many cells as `headings`; what a cell says, no terminal obeys. */
export function formatTable(given: readonly (readonly string[])[]): string {
  const rows = given.map((row) => row.map(printable));
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(LEAST_WIDTH, ...rows.map((row) => [...(row[column] ?? '')].length + GAP)),
  );
  const pad = (cell: string, column: number, row: readonly string[]): string =>
    column === row.length - 1 ? cell : cell + ' '.repeat((widths[column] ?? 0) - [...cell].length);
  return rows.map((row) => `${row.map(pad).join('').trimEnd()}\n`).join('');
}
