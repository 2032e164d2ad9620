/** What is to be undone when the process is told to end (^C, SIGTERM, a terminal that is closed); it then ends by that signal. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Until the result is disposed of. */
export function whenEnded(undo: () => void): Disposable {
  const end = (signal: NodeJS.Signals): void => {
    stop();
    undo();
    process.kill(process.pid, signal);
  };
  const stop = (): void => {
    for (const signal of SIGNALS) process.off(signal, end);
  };
  for (const signal of SIGNALS) process.on(signal, end);
  return { [Symbol.dispose]: stop };
}
