/**
 * Why ^C does nothing: to process 1 of a pid namespace the kernel sends no signal that it does not handle (pid_namespaces(7)). Said when the
 * user asks for the second time.
 */
import { constants } from 'node:os';
import { say } from '../output.ts';
import { processStatus } from './process-status.ts';

const { SIGHUP, SIGINT, SIGQUIT, SIGTERM } = constants.signals;
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
  readonly #seen = new Set<number>();
  #isSaid = false;

  /** @param pid of the command, on the host */
  constructor(pid: number) {
    this.#pid = pid;
  }

  /** The signal was passed on. */
  note(signal: number): void {
    const name = NAMES.get(signal);
    if (name === undefined || this.#isSaid) return;
    if (!this.#seen.has(signal)) {
      this.#seen.add(signal);
      return;
    }
    if (!isUnheard(processStatus(this.#pid), signal)) return;
    this.#isSaid = true;
    say(
      `tsrun: the command is process 1 of its container and does not handle ${name}, so the kernel withholds it\n` +
        'hint: tsrun kill CONTAINER, from another terminal; next time: tsrun run --init …\n',
    );
  }
}
