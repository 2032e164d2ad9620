/** How a container ended → the exit status of tsrun. */
import { tsrunError } from '../errors.ts';
import type { ExitStatus } from '../supervisor/messages.ts';

/** The code, or 128 + the signal. Throws ERR_TSRUN_EXIT_UNKNOWN rather than to make one up. */
export function exitCode(status: ExitStatus, container: string): number {
  switch (status.kind) {
    case 'exited':
      return status.code;
    case 'signaled':
      return 128 + status.signal;
    case 'unknown':
      throw tsrunError('ERR_TSRUN_EXIT_UNKNOWN', { container });
  }
}
