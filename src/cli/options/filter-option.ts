import { type Filter, parseFilter } from '../parse/filter.ts';
import { type ListOption, list } from './option.ts';

/** `--filter`, of a command that knows `keys`; `unsupported` are those that it refuses, and why. */
export const filterOption = <K extends string>(
  keys: readonly K[],
  {
    unsupported,
    ...details
  }: { short?: string; example?: string; unsupported?: Readonly<Record<string, string>> } = {},
): ListOption<Filter<K>> =>
  list(
    'KEY=VALUE',
    `Only those for which it holds; keys are ${keys.join(', ')}`,
    parseFilter(keys, unsupported),
    details,
  );
