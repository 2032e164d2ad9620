/** Waiting for a container's end. */
import type { ExitStatus } from '../store/container-state.ts';
import { containerDirectory } from '../store/paths.ts';
import { type ContainerView, viewContainer } from './container-view.ts';
import type { Engine } from './open-engine.ts';
import { watchDirectory } from './watch-directory.ts';

/** How often the processes are looked at: a killed supervisor writes no file that could be watched for. */
const LOOK_MS = 100;

/**
 * Resolves with the exit status, at once when it has ended already; undefined when `timeoutMs` passed before.
 * A container that is removed as it ends leaves no record: its status is then unknown.
 * @param end `any`, also one after which its supervisor starts it again, as docker has it; or only the last one
 */
export async function waitContainer(
  engine: Engine,
  view: ContainerView,
  timeoutMs = Number.POSITIVE_INFINITY,
  end: 'any' | 'for-good' = 'any',
): Promise<ExitStatus | undefined> {
  const deadline = Date.now() + timeoutMs;
  using changes = watchDirectory(containerDirectory(engine.paths, view.id));
  for (;;) {
    const record = engine.containers.read(view.id);
    if (!record) return { kind: 'unknown' };
    const { state } = viewContainer(engine, record);
    if (state.exit && (end === 'any' || state.phase === 'exited')) return state.exit;
    const left = deadline - Date.now();
    if (left <= 0) return undefined;
    await changes.next(Math.min(LOOK_MS, left));
  }
}
