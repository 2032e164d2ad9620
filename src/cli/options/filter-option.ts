import { type Filter, parseFilter } from '../parse/filter.ts';
import { type ListOption, list } from './option.ts';

/** `--filter`, of a command that knows `keys`. */
export const filterOption = <K extends string>(
  keys: readonly K[],
  details: { short?: string; example?: string } = {},
): ListOption<Filter<K>> =>
  list('KEY=VALUE', `Only those for which it holds; keys are ${keys.join(', ')}`, parseFilter(keys), details);
