/** Use case: `tsrun restart`. */
import { NO_STREAMS } from '../supervisor/messages.ts';
import { logContainerEvent } from './container-events.ts';
import type { ContainerView } from './container-view.ts';
import type { Engine } from './open-engine.ts';
import { startContainer } from './start-container.ts';
import { type Stopped, stopContainer } from './stop-container.ts';

/**
 * Stops it, if it runs, and starts it again with a supervisor of its own; its count of restarts begins anew.
 * @param timeout as stopContainer() takes it. @throws what startContainer() throws
 */
export async function restartContainer(
  engine: Engine,
  view: ContainerView,
  timeout: number | undefined,
  signal: number | undefined,
): Promise<Stopped> {
  const stopped = await stopContainer(engine, view, timeout, { signal, keep: true });
  const { client } = await startContainer(engine, view.record, { attach: NO_STREAMS });
  client.close();
  logContainerEvent(engine, view.record, 'restart');
  return stopped;
}
