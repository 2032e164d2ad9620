/** Numbers → the names of src/sys/constants.ts. */
import * as constants from '../../sys/constants.ts';

/** Names of a group of constants by value. Of two names for one value the first counts. */
export type Names = ReadonlyMap<bigint, string>;

/** A table of given constants. */
export const namesOf = (source: Readonly<Record<string, number | bigint>>): Names => {
  const names = new Map<bigint, string>();
  for (const [name, value] of Object.entries(source)) {
    const key = BigInt(value);
    if (!names.has(key)) names.set(key, name);
  }
  return names;
};

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
export const joined = (a: Names, b: Names): Names => new Map([...b, ...a]);

const hexadecimal = (value: bigint): string =>
  value < 0n ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`;

/** One value out of several: `PR_SET_NAME`. What has no name is a decimal number. */
export const nameOf = (names: Names, value: bigint): string => names.get(value) ?? String(value);

/** A set of bits: `O_PATH|O_CLOEXEC`; what has no name is left as a hexadecimal rest. */
export function flagsOf(names: Names, value: bigint): string {
  const whole = names.get(value);
  if (whole !== undefined) return whole;
  if (value === 0n) return '0';
  const parts: string[] = [];
  let rest = value;
  for (const [bits, name] of names) {
    if (bits === 0n || (rest & bits) !== bits) continue;
    parts.push(name);
    rest &= ~bits;
  }
  if (rest !== 0n) parts.push(hexadecimal(rest));
  return parts.join('|');
}
