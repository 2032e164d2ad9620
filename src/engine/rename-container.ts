/** Use case: `tsrun rename`. */
import { logContainerEvent } from './container-events.ts';
import { checkName } from './container-names.ts';
import type { ContainerView } from './container-view.ts';
import type { Engine } from './open-engine.ts';

/** It may run. @throws ERR_TSRUN_USAGE for what is no name, ERR_TSRUN_NAME_IN_USE, ERR_TSRUN_CONTAINER_UNKNOWN */
export function renameContainer(engine: Engine, { record }: ContainerView, name: string): void {
  checkName(name);
  logContainerEvent(engine, engine.containers.rename(record.id, name), 'rename');
}
