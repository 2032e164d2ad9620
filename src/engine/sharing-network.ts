/** Containers of `--network container:NAME`. */
import { parseNetwork } from '../network/parse-network.ts';
import { type ContainerView, findContainer, listContainers } from './container-view.ts';
import type { Engine } from './open-engine.ts';

/** Ids of the running containers that share the network of this one, by their own words. */
export const containersSharingNetwork = (engine: Engine, { id }: ContainerView): string[] =>
  listContainers(engine).containers.flatMap((view) => {
    const mode = parseNetwork(view.record.networkMode);
    return mode.kind === 'container' && view.state.init && isContainer(engine, mode.container, id)
      ? view.id
      : [];
  });

function isContainer(engine: Engine, word: string, id: string): boolean {
  try {
    return findContainer(engine, word).id === id;
  } catch {
    return false; // it is there no more
  }
}
