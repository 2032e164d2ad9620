/** Use case: `tsrun stop`: the container's stop signal, then SIGKILL. */
import { SIGKILL } from '../sys/constants.ts';
import { logContainerEvent } from './container-events.ts';
import type { ContainerView } from './container-view.ts';
import type { Engine } from './open-engine.ts';
import { signalContainer } from './signal-container.ts';
import { announceEnd } from './signal-supervisor.ts';
import { waitContainer } from './wait-container.ts';

/** How a container was stopped. */
export interface Stopped {
  /** It did not run. */
  already: boolean;
  /** The stop signal was not enough in time. */
  killed: boolean;
}

export interface StopOptions {
  /** Instead of the container's own stop signal. */
  signal?: number | undefined;
  /** It is to be started again: a --rm container is not removed. */
  keep?: boolean;
}

/** How long a killed init may take to be gone: it may be writing a core, or be stuck in a file system. */
const KILL_WAIT_MS = 30_000;

/** @param timeout seconds between the signal and SIGKILL; the container's own by default; -1 = never kill */
export async function stopContainer(
  engine: Engine,
  view: ContainerView,
  timeout = view.record.stopTimeout,
  { signal = view.record.stopSignal, keep = false }: StopOptions = {},
): Promise<Stopped> {
  const { phase, init } = view.state;
  if (phase === 'created' || phase === 'exited') return { already: true, killed: false };
  announceEnd(view, keep);
  if (!init) {
    await waitContainer(engine, view, { timeoutMs: KILL_WAIT_MS, end: 'for-good' });
    return { already: phase === 'stopping', killed: false };
  }
  logContainerEvent(engine, view.record, 'stop');
  signalContainer(engine, view, signal);
  if (phase === 'paused') await (await import('./pause-container.ts')).unpauseContainer(engine, view);
  const waitMs = timeout < 0 ? Number.POSITIVE_INFINITY : timeout * 1000;
  if (await waitContainer(engine, view, { timeoutMs: waitMs, end: 'for-good' }))
    return { already: false, killed: signal === SIGKILL };
  signalContainer(engine, view, SIGKILL);
  await waitContainer(engine, view, { timeoutMs: KILL_WAIT_MS, end: 'for-good' });
  return { already: false, killed: true };
}
