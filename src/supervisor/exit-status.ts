/** How a process ended. `unknown`: the status was lost; it is never taken for a success. */
export type ExitStatus =
  | { kind: 'exited'; code: number }
  | { kind: 'signaled'; signal: number }
  | { kind: 'unknown' };

/** As a shell has it: the code, or 128 + the signal; undefined while there is none, and when nobody knows it. */
export function exitNumber(status: ExitStatus | undefined): number | undefined {
  if (status?.kind === 'exited') return status.code;
  return status?.kind === 'signaled' ? 128 + status.signal : undefined;
}
