/** Use case: `tsrun rename`. */
import { logContainerEvent } from './container-events.ts';
import { checkName } from './container-names.ts';
import type { ContainerView } from './container-view.ts';
import type { Engine } from './open-engine.ts';
import { readEndpoints } from './read-endpoints.ts';

/** It may run: then it is found by its new name. @throws ERR_TSRUN_USAGE for what is no name, ERR_TSRUN_NAME_IN_USE, ERR_TSRUN_CONTAINER_UNKNOWN */
export async function renameContainer(engine: Engine, view: ContainerView, name: string): Promise<void> {
  checkName(name);
  const record = engine.containers.rename(view.id, name);
  logContainerEvent(engine, record, 'rename');
  if (!view.state.init || readEndpoints(engine, view.id).length === 0) return;
  const { renameEndpoints } = await import('./rename-endpoints.ts');
  await renameEndpoints(engine, { ...view, name, record }, view.name);
}
