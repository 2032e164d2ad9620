/** Width and colour of what is printed for a person. */

export interface Style {
  /** Columns; Infinity where lines are not to be wrapped. */
  width: number;
  color: boolean;
}

/**
 * @param stream process.stdout or process.stderr. Not a terminal: neither colour nor wrapping, so that grep(1) sees whole lines.
 * NO_COLOR (no-color.org) with any text in it turns colour off.
 */
export function styleFor(
  stream: { isTTY?: boolean; columns?: number },
  env: Readonly<Record<string, string | undefined>> = process.env,
): Style {
  if (!stream.isTTY) return { width: Number.POSITIVE_INFINITY, color: false };
  const color = (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb';
  return { width: Math.max(stream.columns ?? 80, 60), color };
}

/** Select Graphic Rendition of ECMA-48. */
const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, blue: 34, magenta: 35, cyan: 36 } as const;

export type Paint = keyof typeof CODES;

export const paint = (style: Style, how: Paint, text: string): string =>
  style.color ? `\x1b[${CODES[how]}m${text}\x1b[0m` : text;

/** Control characters of names that strangers gave (images, environment) must not reach the terminal. */
export const printable = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  text.replaceAll(/[\x00-\x1f\x7f-\x9f]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`);

/** Digests are cut where a person reads: `sha256:0123456789ab…`. They are whole in `--format json`. */
export const withShortDigests = (text: string): string =>
  text.replaceAll(/[0-9a-f]{64}/g, (digest) => `${digest.slice(0, 12)}…`);

const MIN_TEXT = 20;

/** `head` and then `text`, broken at blanks and commas, its further lines below the beginning of `text`. */
export function wrapped(style: Style, head: string, text: string): string[] {
  const indent = head.length;
  const room = Math.max(style.width - indent, MIN_TEXT);
  const lines: string[] = [];
  let line = '';
  for (const word of text.match(/[^ |]+[ |]*/g) ?? []) {
    if (line !== '' && (line + word).trimEnd().length > room) {
      lines.push(line.trimEnd());
      line = '';
    }
    line += word;
  }
  lines.push(line.trimEnd());
  return lines.map((part, index) => ((index === 0 ? head : ' '.repeat(indent)) + part).trimEnd());
}

const CONTINUED = ' '.repeat(6);

/** Rows as columns, two blanks apart; the last column is wrapped, below the others where they leave it no room. */
export function columns(style: Style, rows: readonly (readonly string[])[]): string[] {
  const count = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: count }, (_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  return rows.flatMap((row) => {
    const cells = row.slice(0, -1).map((cell, i) => `${cell.padEnd(widths[i] ?? 0)}  `);
    const head = `  ${cells.join('')}`;
    const last = row.at(-1) ?? '';
    if (head.length + MIN_TEXT <= style.width) return wrapped(style, head, last);
    return [head.trimEnd(), ...wrapped(style, CONTINUED, last)];
  });
}
