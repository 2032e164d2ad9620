/** What `tsrun ps --filter`, and --filter of commands on containers, can ask; ps-filter.ts answers. */
import type { Filter } from './parse/filter.ts';

export const PS_FILTERS = [
  'id',
  'name',
  'label',
  'label!',
  'exited',
  'status',
  'health',
  'ancestor',
  'before',
  'since',
  'volume',
  'network',
  'restart-policy',
  'until',
] as const;

/** podman's, whose answer is known. */
export const NO_PS_FILTERS = { pod: 'there are no pods yet' };

export type PsFilter = Filter<(typeof PS_FILTERS)[number]>;
