/** `--filter key=value`: several values of one key are alternatives, several keys must all hold. */
import { usageError } from './usage.ts';

export interface Filter<K extends string = string> {
  key: K;
  value: string;
}

/**
 * @param keys those that the command knows
 * @param unsupported those that it refuses, and why
 * Throws ERR_TSRUN_USAGE.
 */
export function parseFilter<K extends string>(
  keys: readonly K[],
  unsupported: Readonly<Record<string, string>> = {},
): (text: string) => Filter<K> {
  return (text) => {
    const [, written, value = ''] = /^([a-z-]+!?)=(.*)$/s.exec(text) ?? [];
    const key = keys.find((known) => known === written);
    if (key !== undefined) return { key, value };
    const reason = unsupported[written ?? ''];
    if (reason !== undefined) throw usageError(`--filter ${text} is not supported: ${reason}`);
    throw usageError(`--filter ${text}: not of the form KEY=VALUE with KEY one of ${keys.join(', ')}`);
  };
}

/**
 * @param holds whether one filter holds for the item
 * @param all keys of which every value must hold, such as `label`
 */
export function matchesFilters<K extends string>(
  filters: readonly Filter<K>[],
  holds: (filter: Filter<K>) => boolean,
  all: readonly string[],
): boolean {
  const keys = new Set(filters.map((filter) => filter.key));
  return [...keys].every((key) => {
    const ofKey = filters.filter((filter) => filter.key === key);
    return all.includes(key) ? ofKey.every(holds) : ofKey.some(holds);
  });
}

/** `label=key` or `label=key=value`. */
export function labelMatches(labels: Readonly<Record<string, string>>, value: string): boolean {
  const equals = value.indexOf('=');
  if (equals === -1) return Object.hasOwn(labels, value);
  const key = value.slice(0, equals);
  return Object.hasOwn(labels, key) && labels[key] === value.slice(equals + 1);
}

/** `dangling=true`. Throws ERR_TSRUN_USAGE. */
export function truthOf({ key, value }: Filter): boolean {
  if (['true', '1'].includes(value)) return true;
  if (['false', '0'].includes(value)) return false;
  throw usageError(`--filter ${key}=${value}: neither true nor false`);
}

/** A name's regular expression, as docker and podman take it. Throws ERR_TSRUN_USAGE. */
export function namePattern(text: string): RegExp {
  try {
    return new RegExp(text);
  } catch (error) {
    throw usageError(`--filter name=${text}: ${(error as Error).message}`);
  }
}
