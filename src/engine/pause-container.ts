/**
 * Use cases: `tsrun pause` and `unpause`.
 *
 * Where the container has a cgroup of its own that this user may write, the kernel freezes it (cgroup-v2.rst, cgroup.freeze): nothing in it
 * can notice. Elsewhere every process of its pid namespace is sent SIGSTOP: kill(-1) by a process inside reaches all of them but process 1 at
 * one stroke, and none can escape by forking, as fork(2) begins anew when a signal is pending. Their parents may notice, and SIGCONT from
 * outside wakes them.
 *
 *     tsrun     clone ─► child: setns(user, mount: rootless), setns(pid: the container's)
 *                          │ pidfd_send_signal(init, SIGSTOP)
 *                          └ clone ─► in the container's pid namespace: kill(-1, SIGSTOP)
 */
import { closeSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { tsrunError } from '../errors.ts';
import { signalEverybody } from '../launch/signal-everybody.ts';
import { runInside } from '../rootless/enter.ts';
import { type FreezableCgroup, freezableCgroup, freeze } from '../store/freezer.ts';
import { containerFiles } from '../store/paths.ts';
import type { PausedFile } from '../store/paused.ts';
import { SIGCONT, SIGSTOP } from '../sys/constants.ts';
import { isAlive, openPidfd } from '../sys/process.ts';
import { logContainerEvent } from './container-events.ts';
import { type ContainerView, notRunning, viewContainer } from './container-view.ts';
import type { Engine } from './open-engine.ts';

/** How a container is held. */
export type Pausing = PausedFile['how'];

/** @throws ERR_TSRUN_CONTAINER_STATE unless it runs; ERR_TSRUN_PAUSE when it has no pid namespace of its own */
export async function pauseContainer(engine: Engine, view: ContainerView): Promise<Pausing> {
  const { init, supervisor, phase, startedAt = '' } = view.state;
  if (phase !== 'running' || !init) throw notRunning(view);
  const cgroup = supervisor && freezableCgroup(init.pid, supervisor.pid);
  const how = cgroup ? 'cgroup' : 'signals';
  const file: PausedFile = { startedAt, how, ...(cgroup && { cgroup: cgroup.directory }) };
  if (!cgroup && !isFirstOfItsNamespace(init.pid)) {
    throw tsrunError('ERR_TSRUN_PAUSE', { container: view.name });
  }
  // First on record: whoever is killed in between leaves a container that runs, or one that can be unpaused.
  writeFileSync(containerFiles(engine.paths, view.id).paused, JSON.stringify(file), { mode: 0o600 });
  if (cgroup) await freeze(cgroup, true);
  else await signalAll(engine, view, SIGSTOP);
  await untilStopped(engine, view);
  logContainerEvent(engine, view.record, 'pause');
  return how;
}

/** @throws ERR_TSRUN_CONTAINER_STATE unless it is paused */
export async function unpauseContainer(engine: Engine, view: ContainerView): Promise<void> {
  const { paused, phase } = view.state;
  if (!paused) {
    throw tsrunError('ERR_TSRUN_CONTAINER_STATE', { name: view.name, state: phase, wanted: 'paused' });
  }
  const cgroup: FreezableCgroup | undefined =
    paused.cgroup === undefined ? undefined : { directory: paused.cgroup };
  if (cgroup) await freeze(cgroup, false);
  else await signalAll(engine, view, SIGCONT);
  rmSync(containerFiles(engine.paths, view.id).paused, { force: true });
  logContainerEvent(engine, view.record, 'unpause');
}

/** Its number in the innermost pid namespace: kill(-1) from inside somebody else's would stop more than the container. */
function isFirstOfItsNamespace(pid: number): boolean {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return /^NSpid:.*\t1$/m.test(status);
}

/**
 * A container may end at any step of it: a signal that was sent before (`stop`) waits for SIGCONT alone. Its init, the child inside and the
 * namespace are gone one after the other then; each of that is a failure of the steps, and none of this command.
 */
async function signalAll(engine: Engine, view: ContainerView, number: number): Promise<void> {
  const { init, supervisor } = view.state;
  const pidfd = init && openPidfd(init);
  const holder = supervisor && openPidfd(supervisor);
  try {
    if (pidfd === undefined || holder === undefined) return; // it has ended
    runInside({ maps: engine.maps, holder }, (slots) => signalEverybody(slots, pidfd, number));
  } catch (error) {
    for (const end = Date.now() + ENDING_MS; init && isAlive(init); await sleep(LOOK_MS)) {
      if (Date.now() > end) throw error;
    }
  } finally {
    for (const fd of [pidfd, holder]) if (fd !== undefined) closeSync(fd);
  }
}

const LOOK_MS = 5;
const PATIENCE_MS = 5000;
/** From the first process of a namespace that is gone to the init itself. */
const ENDING_MS = 1000;

/** A process in a system call that cannot be interrupted stops a little later; the init is what `ps` looks at. */
async function untilStopped(engine: Engine, view: ContainerView): Promise<void> {
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end; ) {
    if (viewContainer(engine, view.record).state.phase !== 'running') return;
    await sleep(LOOK_MS);
  }
}
