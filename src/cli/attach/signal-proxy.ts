/**
 * Signals that tsrun gets while it is attached to a container go to the container's init, as if it were running here.
 *
 * Caught from before the start, so that none of them ends tsrun in between and leaves a container behind that the user has just told to
 * stop; they are sent when there is a container to send them to.
 */
import { SIGNALS } from '../../launch/signals.ts';
import { signal as signalFrame } from '../../supervisor/messages.ts';
import type { Connection } from './connection.ts';
import { UnheardSignals } from './unheard-signals.ts';

/** KILL and STOP cannot be caught. CHLD and URG are about this process. PIPE: see attach.ts. */
const NOT_PASSED_ON = new Set(['SIGKILL', 'SIGSTOP', 'SIGCHLD', 'SIGURG', 'SIGPIPE']);

/** Those that a user sends to end a command. */
const ENDING = new Set<number>([SIGNALS.SIGINT, SIGNALS.SIGTERM, SIGNALS.SIGHUP, SIGNALS.SIGQUIT]);

/** Each catcher costs 0.1 ms, so those that nobody sends in the first milliseconds are made when this process first waits for something. */
export class SignalProxy implements Disposable {
  #abort: AbortController | undefined;
  readonly #caught = new Set<number>();
  readonly #waiting: number[] = [];
  #client: Connection | undefined;
  #unheard: UnheardSignals | undefined;
  #isOver = false;
  readonly #later: NodeJS.Immediate;

  constructor() {
    this.#catch((number) => ENDING.has(number));
    this.#later = setImmediate(() => this.#catch(() => true));
  }

  /**
   * Aborted by the first ending signal that comes before there is a container: a pull need not go on. Made when it is asked for: loading what it
   * takes is 0.3 ms, and most images are in the store.
   */
  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    if (this.interruption !== undefined) this.#abort.abort();
    return this.#abort.signal;
  }

  /** That signal. */
  get interruption(): number | undefined {
    return this.#waiting.find((number) => ENDING.has(number));
  }

  /**
   * From here on signals go to `client`; those that have come already go now.
   * @param pid of the command, on the host
   * @param container its name
   */
  connect(client: Connection, pid: number, container: string): void {
    this.#client = client;
    this.#unheard = new UnheardSignals(pid, container);
    this.#catch(() => true);
    for (const number of this.#waiting.splice(0)) this.#pass(number);
  }

  /** The command has ended, and tsrun is about to: what comes now has nobody to go to. */
  [Symbol.dispose](): void {
    this.#isOver = true;
    clearImmediate(this.#later);
  }

  #catch(isWanted: (number: number) => boolean): void {
    for (const [name, number] of Object.entries(SIGNALS)) {
      if (NOT_PASSED_ON.has(name) || this.#caught.has(number) || !isWanted(number)) continue;
      this.#caught.add(number);
      process.on(name as NodeJS.Signals, () => this.#pass(number));
    }
  }

  #pass(number: number): void {
    if (this.#isOver) return;
    if (this.#client) {
      void this.#client.send(signalFrame(number));
      if (this.#unheard?.note(number)) void this.#client.send(signalFrame(SIGNALS.SIGKILL));
    } else {
      this.#waiting.push(number);
      if (ENDING.has(number)) this.#abort?.abort();
    }
  }
}
