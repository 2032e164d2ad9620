/** Use case: `tsrun rm`. Works from any state the container may be in, damaged ones included. */

import { existsSync } from 'node:fs';
import { tsrunError } from '../errors.ts';
import { runInside } from '../rootless/enter.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import type { ContainerPhase } from '../store/container-state.ts';
import { removeMountpoint } from '../store/looked-at.ts';
import { containerDirectory } from '../store/paths.ts';
import { SIGKILL } from '../sys/constants.ts';
import { logContainerEvent } from './container-events.ts';
import { type ContainerView, viewContainer } from './container-view.ts';
import { removeCgroups } from './kept-cgroups.ts';
import { lockContainer } from './lock-container.ts';
import type { Engine } from './open-engine.ts';
import { removalSteps } from './removal.ts';
import { signalContainer } from './signal-container.ts';
import { announceEnd } from './signal-supervisor.ts';
import { volumeUsers } from './volume-users.ts';
import { waitContainer } from './wait-container.ts';

export interface RemoveOptions {
  /** Kill it if it runs. */
  force: boolean;
  /** Anonymous volumes too. */
  volumes: boolean;
  /** Leave it if it runs, instead of failing: what is pruned may have been started since it was looked at. */
  unlessActive?: boolean;
}

const KILL_WAIT_MS = 30_000;

/**
 * @returns whether it was removed here: not when somebody else has, nor when it runs and `unlessActive` is given
 * @throws ERR_TSRUN_CONTAINER_STATE when it runs and neither `force` nor `unlessActive` is given
 */
export async function removeContainer(
  engine: Engine,
  view: ContainerView,
  options: RemoveOptions,
): Promise<boolean> {
  for (let now = view; ; now = viewContainer(engine, view.record)) {
    if (isActive(now.state.phase)) {
      if (options.unlessActive) return false;
      await end(engine, now, options.force);
    }
    // A --rm container has been removed by its supervisor meanwhile.
    if (!existsSync(containerDirectory(engine.paths, view.id))) return false;
    using lock = await lockContainer(engine, view.id);
    if (!lock) return false;
    if (isActive(viewContainer(engine, view.record).state.phase)) continue; // started meanwhile
    const record = options.volumes ? withoutShared(engine, view.record) : view.record;
    const rootless = engine.rootless();
    removeCgroups(engine.paths, view.id);
    runInside(rootless, (slots) => {
      const { remove, sweep } = removalSteps(engine.paths, record, slots, 'rootless', options.volumes);
      return [...remove, ...sweep];
    });
    removeMountpoint(engine.paths, view.id);
    logContainerEvent(engine, record, 'remove');
    return true;
  }
}

const isActive = (phase: ContainerPhase): boolean => phase !== 'created' && phase !== 'exited';

async function end(engine: Engine, view: ContainerView, force: boolean): Promise<void> {
  const { phase, init } = view.state;
  if (!force && phase !== 'stopping') {
    const hint = `tsrun rm -f ${view.name}   # or first: tsrun stop ${view.name}`;
    throw tsrunError('ERR_TSRUN_CONTAINER_STATE', {
      name: view.name,
      state: phase,
      wanted: 'stopped',
      hint,
    });
  }
  announceEnd(view);
  if (init) signalContainer(engine, view, SIGKILL);
  await waitContainer(engine, view, { timeoutMs: KILL_WAIT_MS, end: 'for-good' });
}

/** An anonymous volume that --volumes-from gave to another container as well stays with that one. */
function withoutShared(engine: Engine, record: ContainerRecord): ContainerRecord {
  if (!record.mounts.some((mount) => mount.anonymous)) return record;
  const users = volumeUsers(engine);
  const isShared = (name = ''): boolean => users.get(name)?.some(({ id }) => id !== record.id) ?? false;
  return { ...record, mounts: record.mounts.filter(({ name }) => !isShared(name)) };
}
