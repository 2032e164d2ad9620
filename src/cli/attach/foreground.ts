/** A command in the foreground: what `run`, `start -a`, `exec` and `attach` do between the start and the exit status. */
import type { Streams } from '../../supervisor/messages.ts';
import { say } from '../output.ts';
import { attach } from './attach.ts';
import type { AttachEnd, Connection } from './connection.ts';
import { parseDetachKeys } from './detach-keys.ts';
import { SignalProxy } from './signal-proxy.ts';
import type { WindowSize } from './terminal.ts';

export interface ForegroundOptions {
  streams: Streams;
  /** The command has a terminal. */
  tty: boolean;
  /** --detach-keys; undefined = the default */
  detachKeys: string | undefined;
  sigProxy: boolean;
}

/** ctrl-p,ctrl-q */
const DEFAULT_DETACH_KEYS = Uint8Array.of(0x10, 0x11);

export class Foreground implements Disposable {
  readonly #options: ForegroundOptions;
  readonly #detachKeys: Uint8Array;
  readonly #proxy: SignalProxy | undefined;
  /** Of the user's terminal, for a command that gets one. */
  readonly windowSize: WindowSize | undefined;

  /** Throws ERR_TSRUN_USAGE for detach keys that are none. */
  static async open(options: ForegroundOptions): Promise<Foreground> {
    if (!options.tty) return new Foreground(options, undefined, false);
    const [{ isatty }, { windowSize }] = await Promise.all([import('node:tty'), import('./terminal.ts')]);
    if (options.streams.stdin && !isatty(0)) {
      say(
        'tsrun: warning: -t is given, but stdin is not a terminal: what the command reads is echoed, and lines end in CR LF\n',
      );
    }
    return new Foreground(options, windowSize(), options.streams.stdin && isatty(0));
  }

  private constructor(options: ForegroundOptions, windowSize: WindowSize | undefined, rawTerminal: boolean) {
    this.#options = options;
    this.#detachKeys =
      options.detachKeys === undefined ? DEFAULT_DETACH_KEYS : parseDetachKeys(options.detachKeys);
    this.windowSize = windowSize;
    // In raw mode ^C is a key like any other.
    this.#proxy = options.sigProxy && !rawTerminal ? new SignalProxy() : undefined;
  }

  /** Aborted by the first signal that asks to end, as long as nothing is connected. */
  get signal(): AbortSignal | undefined {
    return this.#proxy?.signal;
  }

  /** 128 + the signal that came before anything was connected. */
  get interruptedStatus(): number | undefined {
    return this.#proxy?.interruption === undefined ? undefined : 128 + this.#proxy.interruption;
  }

  /**
   * @param pid of the command, on the host
   * @param container its name
   */
  async relay(client: Connection, pid: number, container: string): Promise<AttachEnd> {
    const { streams, tty } = this.#options;
    this.#proxy?.connect(client, pid, container);
    return await attach(client, { streams, tty, pid, detachKeys: this.#detachKeys });
  }

  [Symbol.dispose](): void {
    this.#proxy?.[Symbol.dispose]();
  }
}
