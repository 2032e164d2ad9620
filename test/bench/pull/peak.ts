/** How much memory the largest process of a command takes: its peak resident set (VmHWM of proc_pid_status(5)). */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const LOOK_MS = 5;

const pids = (): string[] => readdirSync('/proc').filter((name) => /^\d+$/.test(name));

/** In KiB; undefined for a process of another user, or one that has ended. */
function peakOf(pid: string, uid: RegExp): number | undefined {
  let status: string;
  try {
    status = readFileSync(`/proc/${pid}/status`, 'latin1');
  } catch {
    return undefined;
  }
  const peak = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
  return uid.test(status) && peak !== undefined ? Number(peak) : undefined;
}

/** KiB of the largest of this user's processes that are there while `work` is done and were not before. */
export async function largestProcess(work: () => Promise<unknown>): Promise<number> {
  const before = new Set(pids());
  const uid = new RegExp(`^Uid:\\s+${process.getuid?.()}\\s`, 'm');
  let isOver = false;
  let largest = 0;
  const done = work().finally(() => {
    isOver = true;
  });
  done.catch(() => undefined); // awaited below
  while (!isOver) {
    for (const pid of pids()) if (!before.has(pid)) largest = Math.max(largest, peakOf(pid, uid) ?? 0);
    await sleep(LOOK_MS);
  }
  await done;
  return largest;
}
