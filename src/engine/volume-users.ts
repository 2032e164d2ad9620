/** Which containers use which volumes: looked up in their records at each call, counted nowhere. */
import { type ContainerView, listContainers } from './container-view.ts';
import type { Engine } from './open-engine.ts';

/** Volume name → the containers that mount it, whatever they do. */
export function volumeUsers(engine: Engine): Map<string, ContainerView[]> {
  const users = new Map<string, ContainerView[]>();
  for (const view of listContainers(engine).containers) {
    for (const { name } of view.record.mounts) {
      if (name !== undefined) users.set(name, [...(users.get(name) ?? []), view]);
    }
  }
  return users;
}
