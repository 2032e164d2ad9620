/**
 * Why ^C does nothing: to process 1 of a pid namespace the kernel sends no signal that it does not handle (pid_namespaces(7)). Said when the
 * user asks for the second time. Who goes on pressing ^C is told what one more of them does, and with that one has it: SIGKILL.
 */
import { SIGNALS } from '../../launch/signals.ts';
import { say } from '../output.ts';
import { processStatus } from './process-status.ts';

const { SIGHUP, SIGINT, SIGQUIT, SIGTERM } = SIGNALS;

/** Between one ^C and the next of somebody who wants an end of it. */
const IMPATIENCE_MS = 2000;
const NAMES = new Map<number, string>([
  [SIGHUP, 'SIGHUP'],
  [SIGINT, 'SIGINT'],
  [SIGQUIT, 'SIGQUIT'],
  [SIGTERM, 'SIGTERM'],
]);

/** Is it process 1 of its namespace, and without a handler for the signal? @param status /proc/PID/status (proc_pid_status(5)) */
export function isUnheard(status: string, signal: number): boolean {
  const innermost = /^NSpid:.*\s(\d+)$/m.exec(status)?.[1];
  const caught = /^SigCgt:\s*([0-9a-f]+)$/m.exec(status)?.[1];
  if (innermost !== '1' || caught === undefined) return false;
  return ((BigInt(`0x${caught}`) >> BigInt(signal - 1)) & 1n) === 0n;
}

export class UnheardSignals {
  readonly #pid: number;
  readonly #container: string;
  readonly #host: { read(pid: number): string; say(text: string): void };
  readonly #seen = new Set<number>();
  #isSaid = false;
  #isOffered = false;
  #interruptedAt = Number.NEGATIVE_INFINITY;

  /**
   * @param pid of the command, on the host
   * @param container its name
   * @param host reads /proc/PID/status, and speaks to the user
   */
  constructor(pid: number, container: string, host = { read: processStatus, say }) {
    this.#pid = pid;
    this.#container = container;
    this.#host = host;
  }

  /** The signal was passed on. @returns whether the user wants the command killed */
  note(signal: number, now = Date.now()): boolean {
    const name = NAMES.get(signal);
    if (name === undefined) return false;
    const isImpatient = signal === SIGINT && now - this.#interruptedAt <= IMPATIENCE_MS;
    if (signal === SIGINT) this.#interruptedAt = now;
    if (this.#isSaid) return isImpatient && this.#offer();
    if (!this.#seen.has(signal)) {
      this.#seen.add(signal);
      return false;
    }
    if (!isUnheard(this.#host.read(this.#pid), signal)) return false;
    this.#isSaid = true;
    this.#host.say(
      `tsrun: the command is process 1 of its container and does not handle ${name}, so the kernel withholds it\n` +
        `hint: tsrun kill ${this.#container}, from another terminal; next time: tsrun run --init …\n`,
    );
    return false;
  }

  /** It may have got a handler meanwhile. */
  #offer(): boolean {
    if (!isUnheard(this.#host.read(this.#pid), SIGINT)) return false;
    if (this.#isOffered) return true;
    this.#isOffered = true;
    this.#host.say(`hint: ^C once more within ${IMPATIENCE_MS / 1000} s kills it (SIGKILL)\n`);
    return false;
  }
}
