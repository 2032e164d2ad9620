import { callNow } from './calls.ts';
import { LOCK_EX, LOCK_NB, LOCK_SH } from './constants.ts';
import { ERRNO } from './errno.ts';
import { SyscallFailure } from './run.ts';

/**
 * flock(2) on an open file: the kernel drops it when the last descriptor is closed, so a killed process leaves no lock.
 * Returns false only when `nonBlocking` and somebody else holds it. Blocking stops the whole process: hold locks briefly.
 * @throws SyscallFailure for anything else
 */
export function flock(fd: number, mode: 'exclusive' | 'shared', nonBlocking = false): boolean {
  try {
    const operation = (mode === 'exclusive' ? LOCK_EX : LOCK_SH) | (nonBlocking ? LOCK_NB : 0);
    callNow('lock a file of the store', 'flock', [fd, operation]);
    return true;
  } catch (error) {
    if (error instanceof SyscallFailure && error.errno === ERRNO.EAGAIN) return false;
    throw error;
  }
}
