/** `tsrun events --filter`. */
import type { StoredEvent } from '../store/event-log.ts';
import { podmanWord } from './event-row.ts';
import { type Filter, labelMatches, matchesFilters } from './parse/filter.ts';
import { matchesReference } from './parse/reference-pattern.ts';
import { usageError } from './parse/usage.ts';

export const EVENT_FILTERS = ['container', 'event', 'image', 'label', 'network', 'type', 'volume'] as const;

export type EventFilter = Filter<(typeof EVENT_FILTERS)[number]>;

const TYPES = ['container', 'image', 'network', 'system', 'volume'];

/** Whether it is what a name, an id or the beginning of an id means. */
const isCalled = ({ id, name }: StoredEvent, written: string): boolean =>
  name === written || (written !== '' && id?.startsWith(written) === true);

function holds(event: StoredEvent, { key, value }: EventFilter): boolean {
  switch (key) {
    case 'container':
      return event.type === 'container' && isCalled(event, value);
    case 'event':
      return event.status === value || event.status === podmanWord(value);
    case 'image': {
      if (event.type === 'image') return isCalled(event, value) || matchesReference(event.name ?? '', value);
      return event.type === 'container' && matchesReference(event.image ?? '', value);
    }
    case 'label':
      return labelMatches(event.attributes ?? {}, value);
    case 'network':
    case 'volume':
      return event.type === key && isCalled(event, value);
    case 'type':
      return event.type === value;
  }
}

/** The test of all filters together. Throws ERR_TSRUN_USAGE. */
export function eventFilter(filters: readonly EventFilter[]): (event: StoredEvent) => boolean {
  const strange = filters.find(({ key, value }) => key === 'type' && !TYPES.includes(value));
  if (strange) throw usageError(`--filter type=${strange.value}: not one of ${TYPES.join(', ')}`);
  return (event) => matchesFilters(filters, (filter) => holds(event, filter), ['label']);
}
