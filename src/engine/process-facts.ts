/** The processes of a container, read from this machine's /proc: all of them are in one pid namespace, those of `exec` too. */
import { readFileSync } from 'node:fs';
import { pidsBeside } from './container-namespaces.ts';

/** What is known of a process. */
export interface ProcessFacts {
  pid: number;
  /** Of /proc/PID/status: name → value. */
  status: ReadonlyMap<string, string>;
  /** Fields of /proc/PID/stat (proc(5)) from the third on. */
  stat: readonly string[];
  args: string;
}

/** USER_HZ of Linux: proc(5) counts times in hundredths of a second on every machine. */
export const TICKS = 100;

/** A number of /proc/PID/stat, by its number in proc(5). */
export const statField = (facts: ProcessFacts, number: number): number => Number(facts.stat[number - 3] ?? 0);

function readFacts(pid: number): ProcessFacts | undefined {
  try {
    const lines = readFileSync(`/proc/${pid}/status`, 'utf8').split('\n');
    const status = new Map(
      lines.map((line): [string, string] => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon), line.slice(colon + 1).trim()];
      }),
    );
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replace(/\0+$/, '').replaceAll('\0', ' ');
    const args = command || `[${status.get('Name') ?? '?'}]`;
    return {
      pid,
      status,
      args,
      stat: stat
        .slice(stat.lastIndexOf(')') + 2)
        .trim()
        .split(' '),
    };
  } catch {
    return undefined; // it has ended
  }
}

/** The processes of the pid namespace that `init` is the first of, in the order of their pids. */
export const processesOf = (init: number): ProcessFacts[] =>
  pidsBeside(init).flatMap((pid) => readFacts(pid) ?? []);
