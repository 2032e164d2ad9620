import { readFileSync } from 'node:fs';

/** /proc/PID/status (proc_pid_status(5)); '' when the process has ended. */
export function processStatus(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'latin1');
  } catch {
    return '';
  }
}
