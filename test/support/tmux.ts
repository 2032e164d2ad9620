/** A window of tmux: a real terminal emulator, with somebody at its keys. What it shows is text again, after all escape sequences. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { until } from './until.ts';

export interface TmuxOptions {
  /** For the socket. */
  directory: string;
  env: NodeJS.ProcessEnv;
  columns: number;
  rows: number;
  command: string;
}

export class Tmux implements Disposable {
  readonly #socket: string;
  readonly #env: NodeJS.ProcessEnv;

  constructor(options: TmuxOptions) {
    const { directory, env, columns, rows, command } = options;
    this.#socket = join(directory, 'tmux');
    // A UTF-8 locale, or tmux writes underscores.
    this.#env = { ...env, LC_ALL: 'C.UTF-8', TERM: 'xterm' };
    const size = ['-x', String(columns), '-y', String(rows)];
    this.#tmux('-f', '/dev/null', 'new-session', '-d', ...size, command, ';', 'set', '-g', 'status', 'off');
    this.resize(columns, rows);
  }

  #tmux(...words: string[]): string {
    return execFileSync('tmux', ['-S', this.#socket, ...words], { env: this.#env, encoding: 'utf8' });
  }

  /** Types text as it is. */
  type(text: string): void {
    this.#tmux('send-keys', '-l', text);
  }

  /** Presses keys by their names: `Enter`, `Escape`, `C-c`. */
  press(...keys: string[]): void {
    this.#tmux('send-keys', ...keys);
  }

  enter(line: string): void {
    this.type(line);
    this.press('Enter');
  }

  resize(columns: number, rows: number): void {
    this.#tmux('resize-window', '-x', String(columns), '-y', String(rows));
  }

  /** What is on the screen, without the empty lines at its end. */
  screen(): string {
    return this.#tmux('capture-pane', '-p').trimEnd();
  }

  async waitFor(pattern: RegExp): Promise<void> {
    await until(`${pattern}`, () => pattern.test(this.screen())).catch((error: Error) => {
      throw new Error(`${error.message}; on the screen is\n${this.screen()}`);
    });
  }

  /** Presses the key again and again: at a process that is not there yet it means nothing. */
  async pressUntil(key: string, pattern: RegExp): Promise<void> {
    const again = setInterval(() => this.press(key), 3000);
    try {
      this.press(key);
      await this.waitFor(pattern);
    } finally {
      clearInterval(again);
    }
  }

  [Symbol.dispose](): void {
    this.#tmux('kill-server');
  }
}
