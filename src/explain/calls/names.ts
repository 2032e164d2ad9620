/** Numbers → the names of src/sys/constants.ts. */
import * as constants from '../../sys/constants.ts';

/** Names of a group of constants by value. In the order of the values, as strace(1) prints flags. */
export type Names = ReadonlyMap<bigint, string>;

const byValue = (entries: Iterable<readonly [bigint, string]>): Names =>
  new Map([...entries].sort(([a], [b]) => (a < b ? -1 : Number(a > b))));

/** A table of given constants. */
export const namesOf = (source: Readonly<Record<string, number | bigint>>): Names =>
  // The last entry of a key counts, hence backwards.
  byValue(
    new Map(
      Object.entries(source)
        .reverse()
        .map(([name, value]) => [BigInt(value), name] as const),
    ),
  );

/** Those of src/sys/constants.ts that begin with `prefix` and with none of `except`. */
export function namesWith(prefix: string, ...except: string[]): Names {
  const chosen = Object.entries(constants).filter(
    ([name, value]) =>
      typeof value !== 'function' &&
      name.startsWith(prefix) &&
      !except.some((other) => name.startsWith(other)),
  );
  return namesOf(Object.fromEntries(chosen));
}

/** `a` and then what `b` has beyond it. */
export const joined = (a: Names, b: Names): Names => byValue(new Map([...b, ...a]));

/** Bit 31 makes numbers of JavaScript's bit operators negative. */
const unsigned = (value: bigint): bigint => (value < 0n ? BigInt.asUintN(32, value) : value);

/** One value out of several: `PR_SET_NAME`. What has no name is a decimal number. */
export const nameOf = (names: Names, value: bigint): string => names.get(value) ?? String(value);

/** A set of bits: `O_PATH|O_CLOEXEC`; what has no name is left as a hexadecimal rest. */
export function flagsOf(names: Names, value: bigint): string {
  const whole = names.get(value);
  if (whole !== undefined) return whole;
  if (value === 0n) return '0';
  const parts: string[] = [];
  let rest = unsigned(value);
  for (const [bits, name] of names) {
    if (bits === 0n || (rest & bits) !== bits) continue;
    parts.push(name);
    rest &= ~bits;
  }
  if (rest !== 0n) parts.push(`0x${rest.toString(16)}`);
  return parts.join('|');
}
