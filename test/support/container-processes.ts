/** The processes of a container as the host sees them. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { Tsrun } from './tsrun.ts';

export interface ContainerPids {
  init: number;
  supervisor: number;
}

export async function containerPids(tsrun: Tsrun, container: string): Promise<ContainerPids> {
  const [record] = JSON.parse(await tsrun.ok('inspect', container)) as [
    { State: { Pid: number; SupervisorPid: number } },
  ];
  return { init: record.State.Pid, supervisor: record.State.SupervisorPid };
}

const quietly = <T>(look: () => T): T | undefined => {
  try {
    return look();
  } catch {
    return undefined; // gone meanwhile, or another user's
  }
};

/** Pids of all processes, with the name of each. */
export function allProcesses(): { pid: number; name: string }[] {
  return readdirSync('/proc').flatMap((entry) => {
    if (!/^\d+$/.test(entry)) return [];
    const name = quietly(() => readFileSync(`/proc/${entry}/comm`, 'utf8').trim());
    return name === undefined ? [] : [{ pid: Number(entry), name }];
  });
}

export const parentOf = (pid: number): number | undefined =>
  quietly(() => Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]));

/** Is there a process of that pid that is not a zombie? */
export const isRunning = (pid: number): boolean =>
  /^State:\s+[^ZX]/m.test(quietly(() => readFileSync(`/proc/${pid}/status`, 'utf8')) ?? '');

/** Has it begun to watch files for changes (inotify(7))? A command that waits for something to happen does so after its first look. */
export const isWatching = (pid: number): boolean =>
  (quietly(() => readdirSync(`/proc/${pid}/fd`)) ?? []).some(
    (fd) => quietly(() => readlinkSync(`/proc/${pid}/fd/${fd}`)) === 'anon_inode:inotify',
  );

/** Signals that process alone: 0, which a pid not known easily becomes, would be everybody in the test runner's own process group. */
export function kill(pid: number | undefined, signal: NodeJS.Signals = 'SIGKILL'): void {
  if (pid === undefined || !(pid >= 2)) throw new Error(`there is no such process: ${pid}`);
  process.kill(pid, signal);
}

/** `net:[4026531840]` */
export const namespaceOf = (pid: number, type: string): string | undefined =>
  quietly(() => readlinkSync(`/proc/${pid}/ns/${type}`));

/** The pid of the network helper that a supervisor started. */
export function networkHelper(
  supervisor: number,
): { pid: number; name: 'pasta' | 'slirp4netns' } | undefined {
  for (const { pid, name } of allProcesses()) {
    if (parentOf(pid) !== supervisor) continue;
    if (/^pas(ta|st)/.test(name)) return { pid, name: 'pasta' }; // passt.avx2, where the processor has that
    if (name === 'slirp4netns') return { pid, name };
  }
  return undefined;
}

/** The process that publishes the ports of a container, unless its helper does. */
export const portForwarder = (supervisor: number): number | undefined =>
  allProcesses().find(({ pid, name }) => name === 'tsrun-forward' && parentOf(pid) === supervisor)?.pid;

/** The network namespaces of processes that this user may look into. */
export function networkNamespaces(): Set<string> {
  return new Set(allProcesses().flatMap(({ pid }) => namespaceOf(pid, 'net') ?? []));
}
