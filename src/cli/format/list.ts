/** What list commands print: a table, JSON, or a template for each row. */
import { formatTable } from './table.ts';
import { executeTemplate } from './template/execute.ts';
import { type Node, parseTemplate } from './template/parse.ts';

/**
 * The fields of one row, under docker's names. A function is a field with arguments, and no part of the JSON; what is slow to make is
 * a getter.
 */
export type Row = Readonly<Record<string, unknown>>;

/** Adds fields that only templates know: podman's names for what docker's fields say, or do not. They are in no JSON. */
export function withTemplateFields(row: Row, fields: Readonly<Record<string, () => unknown>>): Row {
  const properties = Object.entries(fields).map(([name, get]) => [name, { get }]);
  return Object.defineProperties(row, Object.fromEntries(properties));
}

/** All labels in a field of their own, and each by its name: `{{.Label "use"}}`. */
export const labelFields = (labels: Readonly<Record<string, string>>) => ({
  Labels: Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(','),
  Label: (key: unknown): string => labels[String(key)] ?? '',
});

export interface ListFormat {
  /** --format; undefined = the usual table */
  format: string | undefined;
  /** The fields of the usual table, in order. */
  columns: readonly string[];
  /** Field → heading. */
  headings: Readonly<Record<string, string>>;
  /** No line with the headings. */
  noHeading?: boolean;
}

/** Shells pass `\t` and `\n` on as two characters each; docker takes them for what they stand for. */
const withControls = (template: string): string => template.replaceAll('\\t', '\t').replaceAll('\\n', '\n');

const headingsOf = (template: readonly Node[], headings: Readonly<Record<string, string>>): string =>
  executeTemplate(template, { ...headings, Label: (key: unknown) => String(key) });

/** What a template makes of a row, without a newline. Throws ERR_TSRUN_USAGE for a template that is not supported. */
export function rowFormatter(format: string): (row: Row) => string {
  const template = parseTemplate(withControls(format.trim()));
  return (row) => executeTemplate(template, row);
}

/**
 * A template after `table` has its columns parted by tabs, as docker's; podman's own examples have blanks between them, which count as tabs.
 * Throws ERR_TSRUN_USAGE for a template that is not supported.
 */
export function formatList(rows: readonly Row[], options: ListFormat): string {
  const { format = 'table', headings } = options;
  if (format === 'json') return rows.map((row) => `${JSON.stringify(row)}\n`).join('');
  if (format === 'table') {
    const fields = options.columns;
    const cells = rows.map((row) => fields.map((field) => String(row[field] ?? '')));
    return formatTable(
      options.noHeading ? cells : [fields.map((field) => headings[field] ?? field), ...cells],
    );
  }
  const isTable = /^table\s/.test(format);
  const columns = isTable ? format.slice('table'.length).replaceAll('}} {{', '}}\t{{') : format;
  const template = parseTemplate(withControls(columns.trim()));
  const lines = rows.map((row) => executeTemplate(template, row));
  if (!isTable) return lines.map((line) => `${line}\n`).join('');
  const all = options.noHeading ? lines : [headingsOf(template, headings), ...lines];
  return formatTable(all.map((line) => line.split('\t')));
}
