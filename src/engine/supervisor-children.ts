/** What a container's supervisor has started: the container's first process, and helpers of its network, by their command lines. */
import { readFileSync } from 'node:fs';

export interface Child {
  pid: number;
  argv: string[];
}

const read = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined; // it has just ended
  }
};

/** A child that was killed has no command line any more, and is none. */
export function supervisorChildren(supervisor: number): Child[] {
  const pids = (read(`/proc/${supervisor}/task/${supervisor}/children`) ?? '').split(' ').filter(Boolean);
  return pids.flatMap((pid) => {
    const line = read(`/proc/${pid}/cmdline`);
    return line ? [{ pid: Number(pid), argv: line.split('\0') }] : [];
  });
}
