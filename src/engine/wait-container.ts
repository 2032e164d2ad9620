/** Waiting for a container's end. */
import { watch } from 'node:fs';
import type { ExitStatus } from '../store/container-state.ts';
import { containerDirectory } from '../store/paths.ts';
import { viewContainer, type ContainerView } from './container-view.ts';
import type { Engine } from './open-engine.ts';

/** How often the processes are looked at: a killed supervisor writes no file that could be watched for. */
const LOOK_MS = 100;

/**
 * Resolves with the exit status, at once when it has ended already; undefined when `timeoutMs` passed before.
 * A container that is removed as it ends leaves no record: its status is then unknown.
 */
export async function waitContainer(
  engine: Engine,
  view: ContainerView,
  timeoutMs = Number.POSITIVE_INFINITY,
): Promise<ExitStatus | undefined> {
  const deadline = Date.now() + timeoutMs;
  using changes = watchDirectory(containerDirectory(engine.paths, view.id));
  for (;;) {
    const record = engine.containers.read(view.id);
    if (!record) return { kind: 'unknown' };
    const { state } = viewContainer(engine, record);
    if (state.exit) return state.exit;
    const left = deadline - Date.now();
    if (left <= 0) return undefined;
    await changes.next(Math.min(LOOK_MS, left));
  }
}

/** Wakes at a change of the directory, or after a time. */
function watchDirectory(path: string): Disposable & { next(ms: number): Promise<void> } {
  let wake: (() => void) | undefined;
  let watcher: ReturnType<typeof watch> | undefined;
  try {
    watcher = watch(path, () => wake?.());
    watcher.on('error', () => undefined); // the directory was removed: the timer looks
  } catch {
    // no inotify watch to be had, or the directory is gone: the timer is enough
  }
  return {
    next: (ms) =>
      new Promise((resolve) => {
        const timer = setTimeout(resolve, ms);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      }),
    [Symbol.dispose]: () => watcher?.close(),
  };
}
