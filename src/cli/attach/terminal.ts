/**
 * The user's terminal while a container has it: keys go through as they are typed (termios(3) raw mode), its size follows the window's.
 *
 * Raw mode is left on every way out: at the end of the scope, at `process.exit`, and when a signal ends tsrun. (A SIGKILL leaves the terminal
 * raw; `stty sane` helps.)
 */
import { constants } from 'node:os';
import { isatty, ReadStream } from 'node:tty';
import {
  rawModes,
  setTerminalModes,
  type TerminalModes,
  terminalModes,
  terminalSize,
} from '../../sys/terminal.ts';

export interface WindowSize {
  rows: number;
  columns: number;
}

/** Those that would end tsrun and leave the terminal raw. */
const ENDING = [
  'SIGTERM',
  'SIGHUP',
  'SIGINT',
  'SIGQUIT',
  'SIGABRT',
  'SIGUSR1',
  'SIGUSR2',
  'SIGALRM',
] as const;

/** The size of the terminal that stdin or stdout is; undefined when neither is one, or it does not know. */
export function windowSize(): WindowSize | undefined {
  const fd = [0, 1].find((candidate) => isatty(candidate));
  if (fd === undefined) return undefined;
  const { rows, columns } = terminalSize(fd);
  return rows > 0 && columns > 0 ? { rows, columns } : undefined;
}

export class RawTerminal implements Disposable {
  /** As the user's shell had them. */
  readonly #before: TerminalModes;
  readonly #listeners: [event: NodeJS.Signals | 'exit', listener: () => void][] = [];

  /** @param onResize is told the new size after each change of the window's */
  constructor(onResize: (size: WindowSize) => void) {
    if (!(process.stdin instanceof ReadStream)) throw new TypeError('stdin is not a terminal');
    this.#before = terminalModes(0);
    const raw = rawModes(this.#before);
    setTerminalModes(0, raw);
    const tell = (): void => {
      const size = windowSize();
      if (size) onResize(size);
    };
    this.#listen('exit', () => this.#leave());
    this.#listen('SIGWINCH', tell);
    // Stopped and continued by somebody: the shell has set its own modes meanwhile.
    this.#listen('SIGCONT', () => {
      setTerminalModes(0, raw);
      tell();
    });
    for (const name of ENDING) this.#listen(name, () => this.#endBy(name));
  }

  [Symbol.dispose](): void {
    for (const [event, listener] of this.#listeners) process.removeListener(event, listener);
    this.#leave();
  }

  #listen(event: NodeJS.Signals | 'exit', listener: () => void): void {
    this.#listeners.push([event, listener]);
    process.on(event, listener);
  }

  #leave(): void {
    try {
      setTerminalModes(0, this.#before);
    } catch {
      // The terminal was hung up: there is nothing to leave in order.
    }
  }

  #endBy(name: NodeJS.Signals): void {
    this[Symbol.dispose]();
    process.exit(128 + constants.signals[name]);
  }
}
