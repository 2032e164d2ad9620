/** A container may end, or be removed, under the hands of a command: that is what the command says then, not what it stumbled over. */
import { type TsrunError, tsrunError } from '../errors.ts';
import { isAlive } from '../sys/process.ts';
import { type ContainerView, notRunning, viewContainer } from './container-view.ts';
import type { Engine } from './open-engine.ts';

/** Whether it ran when `view` was made, and does so no more. */
const hasEnded = ({ state: { init } }: ContainerView): boolean => init !== undefined && !isAlive(init);

/** The error of a command that needs the container to run: undefined when it still does, so that something else went wrong. */
export function endedMeanwhile(engine: Engine, view: ContainerView): TsrunError | undefined {
  if (!hasEnded(view)) return undefined;
  const record = engine.containers.read(view.id);
  if (!record) return tsrunError('ERR_TSRUN_CONTAINER_UNKNOWN', { name: view.name });
  const { state } = viewContainer(engine, record);
  // Started again by now, it is another run than the one that was meant.
  return notRunning({ name: record.name, state: { ...state, phase: state.init ? 'exited' : state.phase } });
}

/** Does `work` for the container as it is: once more when it ended while it was done for one that ran. @throws what `work` throws */
export async function asItIs<T>(
  engine: Engine,
  view: ContainerView,
  work: (view: ContainerView) => Promise<T>,
): Promise<T> {
  try {
    return await work(view);
  } catch (error) {
    if (!hasEnded(view)) throw error;
    const record = engine.containers.read(view.id);
    if (!record) throw tsrunError('ERR_TSRUN_CONTAINER_UNKNOWN', { name: view.name });
    return await asItIs(engine, viewContainer(engine, record), work);
  }
}
