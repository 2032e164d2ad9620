/**
 * A container's end is wanted: its supervisor is told, so that it does not start it again. By a signal, which needs neither a socket nor
 * space on a disk, and which waits while the supervisor becomes its next image (native/supervisor/signals.h).
 */
import { closeSync } from 'node:fs';
import { callNow } from '../sys/calls.ts';
import { SIGUSR1, SIGUSR2 } from '../sys/constants.ts';
import { ERRNO } from '../sys/errno.ts';
import { openPidfd } from '../sys/process.ts';
import { SyscallFailure } from '../sys/run.ts';
import type { ContainerView } from './container-view.ts';

/** @param keep a --rm container is not to be removed by its end */
export function announceEnd({ state }: ContainerView, keep = false): void {
  const pidfd = state.supervisor && openPidfd(state.supervisor);
  if (pidfd === undefined) return;
  try {
    const number = keep ? SIGUSR2 : SIGUSR1;
    callNow('tell the supervisor that the end is wanted', 'pidfd_send_signal', [pidfd, number, 0, 0]);
  } catch (error) {
    // ESRCH: it has ended, and starts nothing any more.
    if (!(error instanceof SyscallFailure && error.errno === ERRNO.ESRCH)) throw error;
  } finally {
    closeSync(pidfd);
  }
}
