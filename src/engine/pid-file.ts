/**
 * `--pidfile` and `--conmon-pidfile`. The supervisor itself writes the pid of the container's first process, before that runs the command, at each
 * start: also at those by a restart policy, when nothing else of tsrun is there, so that the file is never that of an earlier life. The supervisor's own pid
 * stays the same through them.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import type { ContainerRecord } from '../store/container-record.ts';
import { call } from '../sys/calls.ts';
import { AT_FDCWD, O_CLOEXEC, O_CREAT, O_TRUNC, O_WRONLY } from '../sys/constants.ts';
import type { Slot, Slots, Step } from '../sys/step.ts';
import type { Engine } from './open-engine.ts';

/** A file that cannot be written does not keep the container from running. */
export function pidFileSteps(pidfile: string): (slots: Slots, pid: Slot) => Step[] {
  return (slots, pid) => {
    const fd = slots.new('pidfile');
    const size = slots.new('pidfile.size');
    const why = 'tell the pid of the container’s first process: --pidfile';
    const flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC;
    return [
      call('supervisor', why, 'openat', [AT_FDCWD, pidfile, flags, 0o644], {
        result: fd,
        tolerate: ['ENOENT', 'EACCES', 'EISDIR', 'EROFS'],
      }),
      call('supervisor', why, 'write', [fd, { text: [pid], size }, size], {
        tolerate: ['EBADF', 'ENOSPC', 'EDQUOT'],
      }),
      call('supervisor', 'written', 'close', [fd], { tolerate: ['EBADF'] }),
    ];
  };
}

/** Once it runs: the supervisor's pid, and the other if the supervisor could not, to tell why. */
export function writePidFiles(
  engine: Engine,
  { pidfile, conmonPidfile }: Pick<ContainerRecord, 'pidfile' | 'conmonPidfile'>,
  { pid, supervisor }: { pid: number; supervisor: number },
): void {
  if (pidfile !== undefined && !holds(pidfile, pid)) writePid(engine, pidfile, pid);
  if (conmonPidfile !== undefined) writePid(engine, conmonPidfile, supervisor);
}

function holds(path: string, pid: number): boolean {
  try {
    return readFileSync(path, 'utf8') === `${pid}`;
  } catch {
    return false;
  }
}

/** The container runs, and goes on doing so if this cannot be written. */
function writePid(engine: Engine, path: string, pid: number): void {
  try {
    writeFileSync(path, `${pid}`);
  } catch (error) {
    engine.warn(`the pid ${pid} could not be written: ${(error as Error).message}`);
  }
}
