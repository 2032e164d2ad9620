/** How a container ended → the exit status of tsrun. */
import { tsrunError } from '../errors.ts';
import { type ExitStatus, exitNumber } from '../supervisor/exit-status.ts';

/** The code, or 128 + the signal. Throws ERR_TSRUN_EXIT_UNKNOWN rather than to make one up. */
export function exitCode(status: ExitStatus, container: string): number {
  const number = exitNumber(status);
  if (number === undefined) throw tsrunError('ERR_TSRUN_EXIT_UNKNOWN', { container });
  return number;
}
