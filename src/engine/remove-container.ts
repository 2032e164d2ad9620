/** Use case: `tsrun rm`. Works from any state the container may be in, damaged ones included. */

import { existsSync } from 'node:fs';
import { tsrunError } from '../errors.ts';
import { runInside } from '../rootless/enter.ts';
import { containerDirectory } from '../store/paths.ts';
import { SIGKILL } from '../sys/constants.ts';
import type { ContainerView } from './container-view.ts';
import { explainNamespaces } from './failure.ts';
import type { Engine } from './open-engine.ts';
import { removalSteps } from './removal.ts';
import { signalContainer } from './signal-container.ts';
import { waitContainer } from './wait-container.ts';

export interface RemoveOptions {
  /** Kill it if it runs. */
  force: boolean;
  /** Anonymous volumes too. */
  volumes: boolean;
}

const KILL_WAIT_MS = 30_000;

/** @throws ERR_TSRUN_CONTAINER_STATE when it runs and `force` is not given */
export async function removeContainer(
  engine: Engine,
  view: ContainerView,
  options: RemoveOptions,
): Promise<void> {
  const { phase } = view.state;
  if (phase === 'running' || phase === 'paused' || phase === 'stopping') {
    if (!options.force && phase !== 'stopping') {
      const hint = `tsrun rm -f ${view.name}   # or first: tsrun stop ${view.name}`;
      throw tsrunError('ERR_TSRUN_CONTAINER_STATE', {
        name: view.name,
        state: phase,
        wanted: 'stopped',
        hint,
      });
    }
    if (view.state.init) signalContainer(engine, view, SIGKILL);
    await waitContainer(engine, view, KILL_WAIT_MS);
  }
  // A --rm container has been removed by its supervisor meanwhile.
  if (!existsSync(containerDirectory(engine.paths, view.id))) return;
  explainNamespaces(() =>
    runInside(engine.rootless(), () => removalSteps(engine.paths, view.record, 'rootless', options.volumes)),
  );
}
