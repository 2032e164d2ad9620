/** A container may end, or be removed, under the hands of a command: that is what the command says then, not what it stumbled over. */
import { TsrunError, tsrunError } from '../errors.ts';
import { isAlive, isExiting } from '../sys/process.ts';
import { type ContainerView, notRunning, viewContainer } from './container-view.ts';
import type { Engine } from './open-engine.ts';
import { waitUntil } from './wait-container.ts';

/** Much longer than the kernel takes to end a process that is ending. */
const LAST_BREATH_MS = 10_000;

/** Whether it ran when `view` was made, and does so no more. */
const hasEnded = ({ state: { init } }: ContainerView): boolean =>
  init !== undefined && (!isAlive(init) || isExiting(init));

/** The error of a command that needs the container to run: undefined when it still does, so that something else went wrong. */
export function endedMeanwhile(engine: Engine, view: ContainerView): TsrunError | undefined {
  if (!hasEnded(view)) return undefined;
  const record = engine.containers.read(view.id);
  if (!record) return tsrunError('ERR_TSRUN_CONTAINER_UNKNOWN', { name: view.name });
  const { state } = viewContainer(engine, record);
  // Started again by now, it is another run than the one that was meant.
  return notRunning({ name: record.name, state: { ...state, phase: state.init ? 'exited' : state.phase } });
}

/**
 * Does `work` for the container as it is: once more when the namespaces of its init were gone when they were to be entered.
 * @throws what `work` throws; ERR_TSRUN_CONTAINER_UNKNOWN when it was removed
 */
export async function asItIs<T>(
  engine: Engine,
  view: ContainerView,
  work: (view: ContainerView) => Promise<T>,
): Promise<T> {
  try {
    return await work(view);
  } catch (error) {
    const isEntry = error instanceof TsrunError && error.code === 'ERR_TSRUN_NAMESPACES';
    if (!isEntry || !hasEnded(view)) throw error;
    const isOver = (seen: ContainerView | undefined) =>
      seen?.state.init?.pid === view.state.init?.pid ? undefined : { seen };
    const now = await waitUntil(engine, view.id, isOver, { timeoutMs: LAST_BREATH_MS });
    if (!now?.seen) throw tsrunError('ERR_TSRUN_CONTAINER_UNKNOWN', { name: view.name });
    return await asItIs(engine, now.seen, work);
  }
}
