/** The functions of templates: Go's own that users write, and docker's. */
import { usageError } from '../../parse/usage.ts';
import { goText } from './go-text.ts';

type Call = (args: readonly unknown[]) => unknown;

const text = (value: unknown): string => goText(value);

/** What `if` takes for false: false, 0, nil, and what is empty. */
export function isTrue(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0;
  return Boolean(value);
}

/** `index .Ports "80/tcp" 0`: nil for a key that is not there. Throws ERR_TSRUN_USAGE for an index that is not. */
function index([from, ...keys]: readonly unknown[]): unknown {
  return keys.reduce((value, key) => {
    if (Array.isArray(value)) {
      if (typeof key === 'number' && key in value) return value[key];
      throw usageError(`--format: index ${text(key)} is out of range: the list has ${value.length} elements`);
    }
    if (value === null || value === undefined) return undefined;
    if (typeof value === 'object') {
      return Object.hasOwn(value, text(key)) ? (value as Record<string, unknown>)[text(key)] : undefined;
    }
    throw usageError(`--format: "${text(value)}" cannot be indexed`);
  }, from);
}

function length([value]: readonly unknown[]): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (Array.isArray(value)) return value.length;
  return typeof value === 'object' && value !== null ? Object.keys(value).length : 0;
}

const VERB = /%(?<flags>[-+0]*)(?<width>\d+)?(?:\.(?<precision>\d+))?(?<verb>.)/gs;

/** `printf "%-10s %d" .Name .Count` */
function printf([format, ...values]: readonly unknown[]): string {
  let next = 0;
  return text(format).replace(VERB, (all, ...rest) => {
    const groups = rest.at(-1) as Record<string, string | undefined>;
    const { flags = '', width = '0', precision, verb = '' } = groups;
    if (verb === '%') return '%';
    if (next >= values.length) throw usageError(`--format: printf has no value for ${all}`);
    const value = values[next++];
    const shown = showAs(verb, value, precision);
    const size = Number(width);
    if (flags.includes('-')) return shown.padEnd(size);
    return shown.padStart(size, flags.includes('0') && verb === 'd' ? '0' : ' ');
  });
}

function showAs(verb: string, value: unknown, precision: string | undefined): string {
  switch (verb) {
    case 's':
    case 'v': {
      const shown = text(value);
      return precision === undefined ? shown : shown.slice(0, Number(precision));
    }
    case 'q':
      return JSON.stringify(text(value));
    case 'd':
    case 't':
      return text(value);
    case 'x':
      return typeof value === 'number' ? value.toString(16) : Buffer.from(text(value)).toString('hex');
    case 'f':
      return Number(value).toFixed(Number(precision ?? 6));
    default:
      throw usageError(`--format: printf %${verb} is not supported; there are %s %v %q %d %t %x %f`);
  }
}

const compare = (args: readonly unknown[], holds: (order: number) => boolean): boolean => {
  const [a, b] = args;
  if (typeof a === 'number' && typeof b === 'number') return holds(a - b);
  return holds(text(a) < text(b) ? -1 : text(a) === text(b) ? 0 : 1);
};

/** The first argument for which it holds, else the last one. */
const firstOr =
  (holds: (value: unknown) => boolean): Call =>
  (args) => {
    const at = args.findIndex(holds);
    return at === -1 ? args.at(-1) : args[at];
  };

const title = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);

export const FUNCTIONS: Readonly<Record<string, Call>> = {
  and: firstOr((value) => !isTrue(value)),
  or: firstOr(isTrue),
  not: ([value]) => !isTrue(value),
  eq: ([a, ...others]) => others.some((b) => compare([a, b], (order) => order === 0)),
  ne: (args) => compare(args, (order) => order !== 0),
  lt: (args) => compare(args, (order) => order < 0),
  le: (args) => compare(args, (order) => order <= 0),
  gt: (args) => compare(args, (order) => order > 0),
  ge: (args) => compare(args, (order) => order >= 0),
  index,
  len: length,
  print: (args) => args.map(text).join(''),
  printf,
  println: (args) => `${args.map(text).join(' ')}\n`,
  json: ([value]) => JSON.stringify(value ?? null),
  join: ([list, separator]) => (Array.isArray(list) ? list : []).map(text).join(text(separator)),
  split: ([value, separator]) => text(value).split(text(separator)),
  lower: ([value]) => text(value).toLowerCase(),
  upper: ([value]) => text(value).toUpperCase(),
  title: ([value]) => text(value).replace(/\S+/g, title),
  pad: ([value, before, after]) => ' '.repeat(Number(before)) + text(value) + ' '.repeat(Number(after)),
  truncate: ([value, size]) => text(value).slice(0, Number(size)),
};
