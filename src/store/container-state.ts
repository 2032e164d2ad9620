/**
 * What a container is doing, derived at each look from what cannot lie: the processes of state.json pinned by start time and boot id,
 * and the exit.json that the supervisor wrote. Nothing is cached.
 *
 *     state.json | supervisor | init  | exit.json        | the container is
 *     -----------+------------+-------+------------------+----------------------------------------------
 *     none       |            |       | none             | created
 *     any        | dead       | dead  | kind "failed"    | created (it could not be started, and may be started again)
 *     there      | alive      | alive | none, or older   | running
 *     there      | any        | alive | and it is held   | paused (paused.ts)
 *     there      | alive      | dead  | none, or older   | stopping: the last output is being written
 *     there      | dead       | alive | any              | running, unsupervised for a moment (its init dies with the supervisor)
 *     there      | alive      | dead  | with restartAt   | restarting: it ended so, and is started again then
 *     there      | dead       | dead  | of this start    | exited, with that status
 *     there      | dead       | dead  | none, or older   | exited, status unknown (killed supervisor, power cut, reboot)
 */
import { existsSync, readFileSync } from 'node:fs';
import type { ExitStatus } from '../supervisor/exit-status.ts';
import { currentBootId, isAlive, type ProcessId } from '../sys/process.ts';
import { containerFiles, type StorePaths } from './paths.ts';
import { type PausedFile, readPaused } from './paused.ts';

export type ContainerPhase = 'created' | 'running' | 'paused' | 'stopping' | 'restarting' | 'exited';

export interface ContainerState {
  phase: ContainerPhase;
  /** Pid of the container's init on the host; undefined unless it lives. */
  init: ProcessId | undefined;
  supervisor: ProcessId | undefined;
  /** RFC 3339 */
  startedAt: string | undefined;
  finishedAt: string | undefined;
  /** Defined when the container has exited, also if it is to be started again. */
  exit: ExitStatus | undefined;
  /** How often its supervisor has started it again. */
  restarts: number;
  oomKilled: boolean;
  /** Of a container that runs and has a health check. */
  health?: { status: 'starting' | 'healthy' | 'unhealthy'; failing: number } | undefined;
  /** How it is held, in phase `paused`. */
  paused?: PausedFile | undefined;
}

interface StateFile {
  bootId: string;
  supervisor: ProcessId;
  init: ProcessId;
  startedAt: string;
  restarts?: number;
  health?: NonNullable<ContainerState['health']>;
}

interface ExitFile {
  /** `failed`: the start failed, nothing ran */
  kind: 'exited' | 'signaled' | 'unknown' | 'failed';
  value: number;
  startedAt: string;
  finishedAt: string;
  oomKilled: boolean;
  restartAt?: string;
}

function readJson<T>(path: string): T | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as T;
  } catch {
    return undefined; // absent, or torn by a power cut: the table's "none"
  }
}

function statusOf(file: ExitFile): ExitStatus {
  if (file.kind === 'exited') return { kind: 'exited', code: file.value };
  if (file.kind === 'signaled') return { kind: 'signaled', signal: file.value };
  // A start by the supervisor that failed is a failure of ours, as it would be of the command line.
  if (file.kind === 'failed') return { kind: 'exited', code: 125 };
  return { kind: 'unknown' };
}

/** Reads the state of the container `id`. Never throws. */
export function readContainerState(paths: StorePaths, id: string): ContainerState {
  const files = containerFiles(paths, id);
  const state = readJson<StateFile>(files.state);
  const created: ContainerState = {
    phase: 'created',
    init: undefined,
    supervisor: undefined,
    startedAt: undefined,
    finishedAt: undefined,
    exit: undefined,
    oomKilled: false,
    restarts: 0,
  };
  if (!state) return created;
  const sameBoot = state.bootId === currentBootId();
  const supervisor = sameBoot && isAlive(state.supervisor) ? state.supervisor : undefined;
  const init = sameBoot && isAlive(state.init) ? state.init : undefined;
  const { startedAt, restarts = 0 } = state;
  if (init) {
    const paused = existsSync(files.paused) ? readPaused(files.paused, startedAt, init.pid) : undefined;
    const phase = paused ? 'paused' : 'running';
    return { ...created, phase, startedAt, supervisor, init, restarts, paused, health: state.health };
  }
  // Read last: whoever has ended by now has written it before.
  const exit = readJson<ExitFile>(files.exit);
  const ofThisStart = exit?.startedAt === startedAt ? exit : undefined;
  const common = { startedAt, supervisor, init, oomKilled: ofThisStart?.oomKilled ?? false, restarts };
  if (ofThisStart?.kind === 'failed' && restarts === 0) return created;
  if (supervisor && !ofThisStart)
    return { ...common, phase: 'stopping', finishedAt: undefined, exit: undefined };
  return {
    ...common,
    phase: supervisor && ofThisStart?.restartAt !== undefined ? 'restarting' : 'exited',
    finishedAt: ofThisStart?.finishedAt,
    exit: ofThisStart ? statusOf(ofThisStart) : { kind: 'unknown' },
  };
}
