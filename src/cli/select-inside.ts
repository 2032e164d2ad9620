/** Which containers a command in `tsrun unshare` is about: as select-containers.ts, where there is no engine. */
import { type ContainerView, findContainer, listContainers } from '../engine/container-view.ts';
import type { InsideEngine } from '../engine/mount-container.ts';
import { usageError } from './parse/usage.ts';

/** Throws ERR_TSRUN_CONTAINER_UNKNOWN, ERR_TSRUN_CONTAINER_AMBIGUOUS, ERR_TSRUN_USAGE. */
export function selectInside(
  engine: InsideEngine,
  names: readonly string[],
  { all, latest }: { all: boolean; latest: boolean },
): ContainerView[] {
  const isImplied = all || latest;
  if (isImplied && names.length > 0)
    throw usageError(`--${all ? 'all' : 'latest'} and a name contradict each other`);
  if (!isImplied) return names.map((name) => findContainer(engine, name));
  const { containers } = listContainers(engine);
  return all ? containers : containers.slice(0, 1);
}
