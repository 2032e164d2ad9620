/** A container may end, or be removed, under the hands of a command: that is what the command says then, not what it stumbled over. */
import { setTimeout as sleep } from 'node:timers/promises';
import { TsrunError, tsrunError } from '../errors.ts';
import { isAlive, isExiting } from '../sys/process.ts';
import { type ContainerView, notRunning, viewContainer } from './container-view.ts';
import type { Engine } from './open-engine.ts';

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

/** How often, and after how long, something is tried again whose container was about to end, or to begin. */
const TRIES = 5;
const PAUSE_MS = 100;

/**
 * Does `work` for the container as it is: again, when the namespaces of its init could not be entered, as those of a process that is ending, or
 * is not yet what it will be.
 * @throws what `work` throws; ERR_TSRUN_CONTAINER_UNKNOWN when it was removed
 */
export async function asItIs<T>(
  engine: Engine,
  view: ContainerView,
  work: (view: ContainerView) => Promise<T>,
  tries = TRIES,
): Promise<T> {
  try {
    return await work(view);
  } catch (error) {
    const isEntry = error instanceof TsrunError && error.code === 'ERR_TSRUN_NAMESPACES';
    if (!isEntry || tries === 1) throw error;
    await sleep(PAUSE_MS);
    const record = engine.containers.read(view.id);
    if (!record) throw tsrunError('ERR_TSRUN_CONTAINER_UNKNOWN', { name: view.name });
    return await asItIs(engine, viewContainer(engine, record), work, tries - 1);
  }
}
