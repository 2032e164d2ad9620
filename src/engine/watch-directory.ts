import { watch } from 'node:fs';

/** Wakes at a change of the directory, or after a time. */
export function watchDirectory(path: string): Disposable & { next(ms: number): Promise<void> } {
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
