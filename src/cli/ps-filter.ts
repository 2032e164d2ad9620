/** `tsrun ps --filter`. */
import { type ContainerView, findContainer } from '../engine/container-view.ts';
import type { InsideEngine } from '../engine/mount-container.ts';
import { exitNumber } from '../supervisor/exit-status.ts';
import { labelMatches, matchesFilters, namePattern } from './parse/filter.ts';
import { matchesReference } from './parse/reference-pattern.ts';
import { RESTART_POLICIES } from './parse/restart-policy.ts';
import { parseMoment } from './parse/time.ts';
import { usageError } from './parse/usage.ts';
import type { PsFilter } from './ps-filter-keys.ts';

const PHASES = ['created', 'running', 'paused', 'stopping', 'restarting', 'exited'];

type Test = (view: ContainerView) => boolean;

function ancestor(engine: InsideEngine, value: string): Test {
  const image = engine.images.resolve(value);
  return ({ record }) => record.imageId === image?.imageId || matchesReference(record.image, value);
}

function exited(value: string): Test {
  if (!/^\d{1,3}$/.test(value)) throw usageError(`--filter exited=${value}: not an exit status`);
  return ({ state }) => exitNumber(state.exit) === Number(value);
}

function status(value: string): Test {
  if (!PHASES.includes(value)) throw usageError(`--filter status=${value}: not one of ${PHASES.join(', ')}`);
  return ({ state }) => state.phase === value;
}

function restartPolicy(value: string): Test {
  if (!RESTART_POLICIES.some((known) => known === value))
    throw usageError(`--filter restart-policy=${value}: not one of ${RESTART_POLICIES.join(', ')}`);
  return ({ record }) => (record.restart?.name ?? 'no') === value;
}

const HEALTH = ['starting', 'healthy', 'unhealthy', 'none'];

function health(value: string): Test {
  if (!HEALTH.includes(value)) throw usageError(`--filter health=${value}: not one of ${HEALTH.join(', ')}`);
  return ({ state }) => (state.health?.status ?? 'none') === value;
}

/** What one filter asks of a container. Throws ERR_TSRUN_USAGE, ERR_TSRUN_CONTAINER_UNKNOWN, … */
function testOf(engine: InsideEngine, { key, value }: PsFilter): Test {
  switch (key) {
    case 'id':
      return ({ id }) => id.startsWith(value);
    case 'name': {
      const pattern = namePattern(value);
      return ({ name }) => pattern.test(name);
    }
    case 'label':
      return ({ record }) => labelMatches(record.labels, value);
    case 'label!':
      return ({ record }) => !labelMatches(record.labels, value);
    case 'exited':
      return exited(value);
    case 'status':
      return status(value);
    case 'health':
      return health(value);
    case 'ancestor':
      return ancestor(engine, value);
    case 'before': {
      const { createdAt } = findContainer(engine, value).record;
      return ({ record }) => record.createdAt < createdAt;
    }
    case 'since': {
      const { createdAt } = findContainer(engine, value).record;
      return ({ record }) => record.createdAt > createdAt;
    }
    case 'volume':
      return ({ record }) =>
        record.mounts.some(({ name, source, destination }) => [name, source, destination].includes(value));
    case 'network':
      return ({ record }) => record.networkMode === value || record.network === value;
    case 'restart-policy':
      return restartPolicy(value);
    case 'until': {
      const until = parseMoment(value, '--filter until=', Date.now());
      return ({ record }) => record.createdAt < until;
    }
  }
}

/** The test of all filters together: what is asked is looked up once, not for each container. */
export function psFilter(engine: InsideEngine, filters: readonly PsFilter[]): Test {
  const tests = new Map(filters.map((filter) => [filter, testOf(engine, filter)]));
  return (view) =>
    matchesFilters(filters, (filter) => tests.get(filter)?.(view) ?? false, ['label', 'label!']);
}
