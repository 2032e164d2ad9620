/**
 * Finding supervisors without asking the store, which may be wrecked: a supervisor has its container's directory open. Its init dies with
 * it (PR_SET_PDEATHSIG), and with the init all that runs in the container.
 */
import { closeSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { call } from '../sys/calls.ts';
import { SIGKILL } from '../sys/constants.ts';
import { isAlive, openPidfd, type ProcessId, startTimeOf } from '../sys/process.ts';
import { nativeRunner } from '../sys/run.ts';
import { Slots } from '../sys/step.ts';

const PATIENCE_MS = 10_000;

/** Kills the processes of this user that have one of the directories open, and waits for their end. */
export async function killSupervisors(isOurs: (directory: string) => boolean): Promise<void> {
  const found = holdersOf(isOurs).flatMap((id) => [id, ...childrenOf(id.pid)]);
  for (const id of found) kill(id);
  const deadline = Date.now() + PATIENCE_MS;
  while (found.some(isAlive) && Date.now() < deadline) await sleep(10);
}

function holdersOf(isOurs: (directory: string) => boolean): ProcessId[] {
  return identified(
    readdirSync('/proc')
      .filter((name) => /^[0-9]+$/.test(name) && name !== String(process.pid))
      .filter((pid) => openPaths(pid).some(isOurs)),
  );
}

/** The inits of containers among them: they are gone only when they are. */
function childrenOf(pid: number): ProcessId[] {
  try {
    return identified(readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ').filter(Boolean));
  } catch {
    return []; // it has ended, or the kernel does not tell (CONFIG_PROC_CHILDREN)
  }
}

const identified = (pids: readonly string[]): ProcessId[] =>
  pids.flatMap((pid) => {
    const startTime = startTimeOf(Number(pid));
    return startTime === undefined ? [] : [{ pid: Number(pid), startTime }];
  });

/** What the descriptors of a process lead to; none where it is another user's. */
function openPaths(pid: string): string[] {
  try {
    // A directory that was removed meanwhile has " (deleted)" behind its name.
    return readdirSync(`/proc/${pid}/fd`).map((fd) =>
      linkOf(`/proc/${pid}/fd/${fd}`).replace(/ \(deleted\)$/, ''),
    );
  } catch {
    return []; // EACCES: not ours; ENOENT: it has ended
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return ''; // closed meanwhile
  }
}

function kill(id: ProcessId): void {
  const pidfd = openPidfd(id);
  if (pidfd === undefined) return;
  try {
    const args = [pidfd, SIGKILL, 0, 0];
    // EPERM: an init whose user is a subordinate id; it dies with its supervisor
    const tolerate = ['ESRCH', 'EPERM'] as const;
    nativeRunner.run({
      slots: new Slots(),
      steps: [call('user', 'end it', 'pidfd_send_signal', args, { tolerate })],
    });
  } finally {
    closeSync(pidfd);
  }
}
