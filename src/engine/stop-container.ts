/** Use case: `tsrun stop`: the container's stop signal, then SIGKILL. */
import { SIGKILL } from '../sys/constants.ts';
import type { ContainerView } from './container-view.ts';
import type { Engine } from './open-engine.ts';
import { signalContainer } from './signal-container.ts';
import { waitContainer } from './wait-container.ts';

/** How a container was stopped. */
export interface Stopped {
  /** It did not run. */
  already: boolean;
  /** The stop signal was not enough in time. */
  killed: boolean;
}

/** How long a killed init may take to be gone: it may be writing a core, or be stuck in a file system. */
const KILL_WAIT_MS = 30_000;

/** @param timeout seconds between the signal and SIGKILL; the container's own by default; -1 = never kill */
export async function stopContainer(
  engine: Engine,
  view: ContainerView,
  timeout = view.record.stopTimeout,
): Promise<Stopped> {
  if (view.state.phase !== 'running' && view.state.phase !== 'paused') {
    if (view.state.phase === 'stopping') await waitContainer(engine, view, KILL_WAIT_MS);
    return { already: true, killed: false };
  }
  signalContainer(engine, view, view.record.stopSignal);
  const waitMs = timeout < 0 ? Number.POSITIVE_INFINITY : timeout * 1000;
  if (await waitContainer(engine, view, waitMs))
    return { already: false, killed: view.record.stopSignal === SIGKILL };
  signalContainer(engine, view, SIGKILL);
  await waitContainer(engine, view, KILL_WAIT_MS);
  return { already: false, killed: true };
}
