/** What `--filter` asks of volumes and networks alike. */
import { type Filter, labelMatches, namePattern, truthOf } from './parse/filter.ts';
import { parseMoment } from './parse/time.ts';

export const NAMED_FILTERS = ['name', 'label', 'label!', 'driver', 'scope', 'dangling', 'until'] as const;

export interface Named {
  name: string;
  labels: Readonly<Record<string, string>>;
  /** RFC 3339, as all times of records: their texts compare. */
  createdAt: string;
}

/** @param driver the one that all of the kind have. Throws ERR_TSRUN_USAGE. */
export function namedTest(
  filter: Filter<(typeof NAMED_FILTERS)[number]>,
  driver: string,
  isUsed: (name: string) => boolean,
): (item: Named) => boolean {
  const { key, value } = filter;
  switch (key) {
    case 'name': {
      const pattern = namePattern(value);
      return ({ name }) => pattern.test(name);
    }
    case 'label':
      return ({ labels }) => labelMatches(labels, value);
    case 'label!':
      return ({ labels }) => !labelMatches(labels, value);
    case 'driver':
      return () => value === driver;
    case 'scope':
      return () => value === 'local';
    case 'dangling': {
      const wanted = truthOf(filter);
      return ({ name }) => isUsed(name) !== wanted;
    }
    case 'until': {
      const until = parseMoment(value, '--filter until=', Date.now());
      return ({ createdAt }) => createdAt < until;
    }
  }
}
