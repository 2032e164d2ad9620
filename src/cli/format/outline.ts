/** Nested data as indented lines, a subset of YAML: what `tsrun info` prints. */

const isNested = (value: unknown): value is object => typeof value === 'object' && value !== null;
const isEmpty = (value: object): boolean => Object.keys(value).length === 0;

/** Text that YAML would read as something else is quoted. */
function scalar(value: unknown): string {
  if (typeof value !== 'string') return String(value ?? 'null');
  return value === '' || /^[\s\-?:,[\]{}#&*!|>'"%@`]|: |\s#|\s$|[\n\r]/.test(value)
    ? JSON.stringify(value)
    : value;
}

function lines(value: object, indent: string): string[] {
  return Object.entries(value).flatMap(([key, inner]) => {
    const head = Array.isArray(value) ? `${indent}-` : `${indent}${key}:`;
    if (!isNested(inner)) return [`${head} ${scalar(inner)}`];
    if (isEmpty(inner)) return [`${head} ${Array.isArray(inner) ? '[]' : '{}'}`];
    const [first = '', ...rest] = lines(inner, `${indent}  `);
    // The first key of a map in a list stands beside its dash.
    return Array.isArray(value) ? [`${head} ${first.trimStart()}`, ...rest] : [head, first, ...rest];
  });
}

/** Ends in a line break. */
export const outline = (value: object): string => `${lines(value, '').join('\n')}\n`;
