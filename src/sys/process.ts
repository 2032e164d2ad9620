/** Processes, pinned: a pid alone may have been given to somebody else, a pid with its start time has not. */
import { readFileSync } from 'node:fs';
import { callNow } from './calls.ts';
import { ERRNO } from './errno.ts';
import { SyscallFailure } from './run.ts';

/** A process for ever: `startTime` is field 22 of /proc/PID/stat, in clock ticks since boot (proc_pid_stat(5)). */
export interface ProcessId {
  pid: number;
  startTime: number;
}

/** Fields of /proc/PID/stat, the first of them field 3, the state; undefined when there is no such process. */
function statFields(pid: number): string[] | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined; // ENOENT, ESRCH: gone
  }
  // The command name, field 2, is in parentheses and may hold anything: fields count from the last ')'.
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/** `T` for a stopped process, and the other letters of proc_pid_stat(5). */
export const processState = (pid: number): string | undefined => statFields(pid)?.[0];

/** The start time of `pid`, or undefined when there is no such process or it is a zombie. */
export function startTimeOf(pid: number): number | undefined {
  const fields = statFields(pid);
  if (!fields) return undefined;
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : Number(fields[19]);
}

/** Is this very process still running? */
export function isAlive(id: ProcessId): boolean {
  return startTimeOf(id.pid) === id.startTime;
}

/** PF_EXITING of linux/sched.h, in the flags that are field 9 of /proc/PID/stat. */
const PF_EXITING = 4;

/** Is it about to be a zombie? Then it is still there, but /proc/PID/root and its namespaces are not. */
export const isExiting = (id: ProcessId): boolean => (Number(statFields(id.pid)?.[6]) & PF_EXITING) !== 0;

/**
 * pidfd_open(2) on exactly this process, or undefined if it is gone. The start time is compared after the fd is open, so the fd cannot
 * be of a successor. The caller closes it.
 */
export function openPidfd(id: ProcessId): number | undefined {
  try {
    const fd = callNow('pin a process', 'pidfd_open', [id.pid, 0]);
    if (isAlive(id)) return fd;
    callNow('let it go', 'close', [fd]);
    return undefined;
  } catch (error) {
    if (error instanceof SyscallFailure && error.errno === ERRNO.ESRCH) return undefined;
    throw error;
  }
}

let bootId: string | undefined;

/** /proc/sys/kernel/random/boot_id: differs after each boot. */
export function currentBootId(): string {
  bootId ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return bootId;
}
