/** Containers that are in namespaces of another one. */
import { parseNetwork } from '../network/parse-network.ts';
import { type ContainerView, findContainer, listContainers } from './container-view.ts';
import type { Engine } from './open-engine.ts';

/** Ids of the containers whose namespaces this one shares. */
function owners(engine: Engine, { record }: ContainerView): string[] {
  const network = parseNetwork(record.networkMode);
  const ids = Object.values(record.namespaces ?? {}).flatMap(({ container }) => container ?? []);
  if (network.kind !== 'container') return ids;
  try {
    return [...ids, findContainer(engine, network.container).id];
  } catch {
    return ids; // it is there no more
  }
}

/** Removes, by `remove`, those that depend on the container, and before them those that depend on these. */
export async function removeDependents(
  engine: Engine,
  { id }: ContainerView,
  remove: (view: ContainerView) => Promise<void>,
): Promise<void> {
  for (const view of listContainers(engine).containers) {
    if (view.id === id || !owners(engine, view).includes(id) || !engine.containers.read(view.id)) continue;
    await removeDependents(engine, view, remove);
    await remove(view);
  }
}
