/**
 * `tsrun run … | head -1`: the reader has gone. A command that ran here itself would get SIGPIPE at its next write, and end, unless it
 * handles or ignores that signal, as servers do.
 *
 * The same happens to a container's command, with one difference to make up for: to process 1 of a pid namespace the kernel sends no
 * signal that it does not handle (pid_namespaces(7)). There SIGKILL stands for the default action, so that `yes | head` leaves nothing
 * running behind.
 */
import { constants } from 'node:os';
import { signal as signalFrame } from '../../supervisor/messages.ts';
import type { AttachEnd, Connection } from './connection.ts';
import { processStatus } from './process-status.ts';

const { SIGKILL, SIGPIPE } = constants.signals;

/** Does a process neither handle nor ignore SIGPIPE? @param status /proc/PID/status (proc_pid_status(5)) */
export function endsOnBrokenPipe(status: string): boolean {
  const masks = [...status.matchAll(/^Sig(?:Ign|Cgt):\s*([0-9a-f]+)$/gm)].map(([, mask]) =>
    BigInt(`0x${mask}`),
  );
  return masks.length === 2 && masks.every((mask) => ((mask >> BigInt(SIGPIPE - 1)) & 1n) === 0n);
}

/** Waits for the end of a command that ends; leaves one that goes on to itself. */
export async function breakPipe(client: Connection, pid: number): Promise<AttachEnd> {
  const ends = endsOnBrokenPipe(processStatus(pid));
  await client.send(signalFrame(ends ? SIGKILL : SIGPIPE));
  for (let message = await client.next(); ends && message; message = await client.next()) {
    if (message.type === 'exit') break;
  }
  return { kind: 'broken-pipe' };
}
