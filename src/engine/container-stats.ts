/**
 * Use case: `tsrun stats`: what a container uses, summed over its processes in /proc, since a container of tsrun has no cgroup of its own
 * (the controllers are seldom an ordinary user's). What cannot be known is undefined, never 0.
 */
import { readFileSync, readlinkSync } from 'node:fs';
import { totalmem } from 'node:os';
import type { ContainerView } from './container-view.ts';
import { type ProcessFacts, processesOf, statField, TICKS } from './process-facts.ts';

/** Sums of what has been so far. Bytes, unless it is said. */
export interface ContainerStats {
  /** performance.now() of the look. */
  at: number;
  /** Seconds of CPU: of the processes that live, and of those that they have waited for. */
  cpuSeconds: number;
  /** Proportional set size (proc_pid_smaps(5)): what is shared counts in part. */
  memory: number;
  memoryLimit: number;
  network: { received: number; sent: number } | undefined;
  blocks: { read: number; written: number } | undefined;
  /** Threads, as the pids controller counts. */
  tasks: number;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined; // ended since, or not for this user's eyes
  }
}

/** A figure of a line `name: figure`. */
function figure(text: string | undefined, name: string): number | undefined {
  const found = new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(text ?? '')?.[1];
  return found === undefined ? undefined : Number(found);
}

function memoryOf({ pid, status }: ProcessFacts): number {
  const resident = Number.parseInt(status.get('VmRSS') ?? '0', 10);
  return 1024 * (figure(read(`/proc/${pid}/smaps_rollup`), 'Pss') ?? resident);
}

/** Fields 14 to 17: user and system time, its own and of children that it has waited for. */
const cpuOf = (facts: ProcessFacts): number =>
  sum([14, 15, 16, 17].map((number) => statField(facts, number))) / TICKS;

function blocksOf(processes: readonly ProcessFacts[]): ContainerStats['blocks'] {
  const texts = processes.flatMap(({ pid }) => read(`/proc/${pid}/io`) ?? []);
  if (texts.length === 0) return undefined;
  const total = (name: string): number => sum(texts.map((text) => figure(text, name) ?? 0));
  return { read: total('read_bytes'), written: total('write_bytes') };
}

/**
 * @param text of /proc/PID/net/dev
 * @returns bytes of all interfaces but the loopback one; undefined when there is no other
 */
export function networkBytes(text: string): { received: number; sent: number } | undefined {
  const rows = text
    .split('\n')
    .map((line) => /^\s*([^:\s]+):\s*(.*)$/.exec(line))
    .flatMap((found) => (found?.[1] === undefined || found[1] === 'lo' ? [] : [found[2] ?? '']))
    .map((columns) => columns.trim().split(/\s+/).map(Number));
  if (rows.length === 0) return undefined;
  return { received: sum(rows.map((row) => row[0] ?? 0)), sent: sum(rows.map((row) => row[8] ?? 0)) };
}

/** Of a container in this machine's network nothing can be told apart. */
function networkOf(init: number): ContainerStats['network'] {
  try {
    if (readlinkSync(`/proc/${init}/ns/net`) === readlinkSync('/proc/self/ns/net')) return undefined;
    return networkBytes(readFileSync(`/proc/${init}/net/dev`, 'latin1'));
  } catch {
    return undefined; // it has ended
  }
}

/** Undefined when the container does not run. */
export function containerStats({ state }: ContainerView): ContainerStats | undefined {
  const { init } = state;
  if (!init) return undefined;
  const processes = processesOf(init.pid);
  if (processes.length === 0) return undefined;
  return {
    at: performance.now(),
    cpuSeconds: sum(processes.map(cpuOf)),
    memory: sum(processes.map(memoryOf)),
    memoryLimit: totalmem(),
    network: networkOf(init.pid),
    blocks: blocksOf(processes),
    tasks: sum(processes.map(({ status }) => Number(status.get('Threads') ?? 1))),
  };
}

/** Percent of one CPU between two looks at one start of a container; undefined when there is no earlier one. */
export function cpuPercent(earlier: ContainerStats | undefined, now: ContainerStats): number | undefined {
  if (earlier === undefined || now.at <= earlier.at) return undefined;
  // Time of processes whose parent waits for none is lost when they end.
  return (Math.max(0, now.cpuSeconds - earlier.cpuSeconds) / (now.at - earlier.at)) * 100_000;
}
