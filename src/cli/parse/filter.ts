/** `--filter key=value`: several values of one key are alternatives, several keys must all hold. */
import { usageError } from './usage.ts';

export interface Filter {
  key: string;
  value: string;
}

/** @param keys those that the command knows. Throws ERR_TSRUN_USAGE. */
export function parseFilter(keys: readonly string[]): (text: string) => Filter {
  return (text) => {
    const [, key = '', value = ''] = /^([a-z-]+!?)=(.*)$/s.exec(text) ?? [];
    if (keys.includes(key)) return { key, value };
    throw usageError(`--filter ${text}: not of the form KEY=VALUE with KEY one of ${keys.join(', ')}`);
  };
}

/**
 * @param holds whether one filter holds for the item
 * @param all keys of which every value must hold, such as `label`
 */
export function matchesFilters(
  filters: readonly Filter[],
  holds: (filter: Filter) => boolean,
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
