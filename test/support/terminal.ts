/**
 * Runs a command on a pseudo-terminal of its own, by script(1) of util-linux: what it prints there, what is typed, how it ends.
 */
import type { Result } from './tsrun.ts';
import { type CallOptions, start } from './tsrun.ts';

export interface TerminalOptions extends Omit<CallOptions, 'input'> {
  rows?: number;
  columns?: number;
}

export interface Terminal {
  /** Types. */
  write(text: string): void;
  /** Resolves with everything printed so far once it matches; rejects when the command ends before. */
  waitFor(pattern: RegExp): Promise<string>;
  /** `stdout` is all that was printed, with the terminal's \r\n. */
  readonly ended: Promise<Result>;
}

const quote = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;

/** Starts `words` on a terminal of 24 rows and 80 columns, or as told. Its exit status is the command's. */
export function onTerminal(words: readonly string[], options: TerminalOptions = {}): Terminal {
  const { rows = 24, columns = 80, ...rest } = options;
  const line = `stty rows ${rows} cols ${columns}; exec ${words.map(quote).join(' ')}`;
  // The input is a pipe that stays open: at its end script(1) would type ^D.
  const running = start(
    'sh',
    ['-c', 'exec script --quiet --return --flush --command "$1" /dev/null', 'sh', line],
    {
      ...rest,
      keepInputOpen: true,
    },
  );
  const { child, ended } = running;
  let printed = '';
  const waiting = new Set<() => void>();
  child.stdout?.on('data', (chunk: Buffer) => {
    printed += chunk.toString('latin1');
    for (const check of waiting) check();
  });
  return {
    ended,
    write: (text) => void child.stdin?.write(text),
    waitFor: (pattern) =>
      new Promise((resolve, reject) => {
        const check = (): void => {
          if (!pattern.test(printed)) return;
          waiting.delete(check);
          resolve(printed);
        };
        waiting.add(check);
        check();
        ended.then(() => {
          check();
          reject(new Error(`ended without printing ${pattern}: ${printed}`));
        }, reject);
      }),
  };
}
