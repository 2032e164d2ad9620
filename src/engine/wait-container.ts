/** Waiting for a container's end, or for something else that becomes of it. */

import { containerDirectory } from '../store/paths.ts';
import type { ExitStatus } from '../supervisor/exit-status.ts';
import { type ContainerView, viewContainer } from './container-view.ts';
import type { Engine } from './open-engine.ts';
import { watchDirectory } from './watch-directory.ts';

/** How often the processes are looked at: a killed supervisor writes no file that could be watched for. */
const LOOK_MS = 100;

export interface WaitTimes {
  /** How long it is waited for; undefined: for ever */
  timeoutMs?: number | undefined;
  lookMs?: number | undefined;
}

/**
 * Looks at a container, again at each change of its directory, until `found` says something; undefined when `timeoutMs` passed before.
 * @param found given undefined for a container that has been removed
 */
export async function waitUntil<T>(
  engine: Engine,
  id: string,
  found: (view: ContainerView | undefined) => T | undefined,
  { timeoutMs = Number.POSITIVE_INFINITY, lookMs = LOOK_MS }: WaitTimes = {},
): Promise<T | undefined> {
  const deadline = Date.now() + timeoutMs;
  using changes = watchDirectory(containerDirectory(engine.paths, id));
  for (;;) {
    const record = engine.containers.read(id);
    const result = found(record && viewContainer(engine, record));
    if (result !== undefined) return result;
    const left = deadline - Date.now();
    if (left <= 0) return undefined;
    await changes.next(Math.min(lookMs, left));
  }
}

/**
 * Resolves with the exit status, at once when it has ended already; undefined when `timeoutMs` passed before.
 * A container that is removed as it ends leaves no record: its status is what the log of events has of it, or unknown.
 * `end`: `any`, also one after which its supervisor starts it again, as docker has it; or only the last one
 */
export async function waitContainer(
  engine: Engine,
  { id }: ContainerView,
  { end = 'any', ...times }: WaitTimes & { end?: 'any' | 'for-good' } = {},
): Promise<ExitStatus | undefined> {
  const ended = (view: ContainerView | undefined): ExitStatus | 'removed' | undefined => {
    if (!view) return 'removed';
    const { exit, phase } = view.state;
    return end === 'any' || phase === 'exited' ? exit : undefined;
  };
  const status = await waitUntil(engine, id, ended, times);
  return status === 'removed' ? await removedStatus(engine, id) : status;
}

/** The status of a container that is no more. */
export async function removedStatus(engine: Engine, id: string): Promise<ExitStatus> {
  const { readEvents } = await import('./events.ts');
  let status: ExitStatus = { kind: 'unknown' };
  for await (const { id: about, status: what, exitCode } of readEvents(engine, { follow: false })) {
    if (about !== id || what !== 'died') continue;
    status = exitCode === undefined ? { kind: 'unknown' } : { kind: 'exited', code: exitCode };
  }
  return status;
}
