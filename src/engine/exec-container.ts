/** Use case: `tsrun exec`: one more process in a running container, with a supervisor of its own. */
import { closeSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { execProgram, hasPidNamespace, joinPidNamespace } from '../launch/exec-program.ts';
import { readInLayers } from '../rootfs/read-in-layers.ts';
import { awaitExecve, runEntry } from '../rootless/enter.ts';
import type { Process, RuntimeConfig } from '../spec/runtime.ts';
import { containerFiles, runtimeContainerDirectory } from '../store/paths.ts';
import { SupervisorClient } from '../supervisor/client.ts';
import type { Streams } from '../supervisor/messages.ts';
import { FD_EXTRA } from '../supervisor/protocol.ts';
import { encodeSpec } from '../supervisor/spec.ts';
import { AT_FDCWD } from '../sys/constants.ts';
import { encodeProgram } from '../sys/encode.ts';
import { currentBootId, openPidfd } from '../sys/process.ts';
import { randomHex } from '../sys/random.ts';
import { type Program, Slots } from '../sys/step.ts';
import { parseConfig } from './config-json.ts';
import { cgroupsOf } from './container-cgroup.ts';
import { eventSpec } from './container-events.ts';
import { type ContainerView, notRunning } from './container-view.ts';
import { startError } from './failure.ts';
import { passedNumbers, planSupervisor } from './launch-supervisor.ts';
import type { Engine } from './open-engine.ts';
import { mergeEnvironment } from './process-options.ts';
import type { ExecRequest } from './request.ts';
import { security } from './security-options.ts';
import { resolveUser } from './users.ts';

export interface StartedExec {
  pid: number;
  client: SupervisorClient;
}

/**
 * @throws ERR_TSRUN_CONTAINER_STATE when the container does not run, ERR_TSRUN_COMMAND_NOT_FOUND, ERR_TSRUN_COMMAND_NOT_EXECUTABLE,
 * ERR_TSRUN_WORKDIR, ERR_TSRUN_START
 */
export async function execInContainer(
  engine: Engine,
  view: ContainerView,
  ...how: [request: ExecRequest, attach: Streams, windowSize?: { height: number; width: number }]
): Promise<StartedExec> {
  try {
    return await exec(engine, view, ...how);
  } catch (error) {
    const { endedMeanwhile } = await import('./ended-meanwhile.ts');
    throw endedMeanwhile(engine, view) ?? error;
  }
}

async function exec(
  engine: Engine,
  view: ContainerView,
  request: ExecRequest,
  attach: Streams,
  windowSize?: { height: number; width: number },
): Promise<StartedExec> {
  const { init, supervisor, phase } = view.state;
  const passed =
    request.preserve === 0
      ? []
      : (await import('./passed-descriptors.ts')).passedDescriptors(request.preserve).descriptors;
  if (phase === 'paused') throw notRunning(view);
  const pidfd = init && openPidfd(init);
  // Its supervisor is in the rootless namespaces that the container's own were made in.
  const holder = supervisor && openPidfd(supervisor);
  if (!init || pidfd === undefined || holder === undefined) throw notRunning(view);
  // A session's records go to a directory of its own, which nobody needs when it is over.
  const session = join(runtimeContainerDirectory(engine.paths, view.id), 'exec', randomHex(8));
  mkdirSync(session, { recursive: true, mode: 0o700 });
  const runtimeFd = openSync(session, 'r');
  try {
    const config = execConfig(engine, view, request, init.pid, windowSize);
    const start = encodeProgram(
      execProgram({
        config,
        openStdin: request.interactive,
        initPidfd: FD_EXTRA,
        canSetGroups: !view.record.singleId,
        filterCache: engine.paths.runtime,
        cgroups: cgroupsOf(init.pid, view.id),
        passed: passedNumbers(passed),
      }),
    );
    const spec = encodeSpec({
      start: start.image,
      cleanup: encodeProgram(removeSession(session)).image,
      remove: true,
      bootId: currentBootId(),
      attach,
      ...(request.interactive && { stdinOnce: true }),
      ...(!request.detach && { killOrphan: true }),
      exec: true,
      ...eventSpec(engine, view.record),
    });
    const launch = planSupervisor({
      rootless: { maps: engine.maps, holder },
      spec,
      directory: session,
      runtimeDirectory: runtimeFd,
      traceFd: undefined,
      extra: [pidfd],
      passed,
      before: () => (hasPidNamespace(config) ? [joinPidNamespace(FD_EXTRA)] : []),
    });
    const encoded = encodeProgram(launch);
    const results = runEntry(launch, encoded);
    awaitExecve(launch, encoded, results);
    for (const slot of [launch.pidfd, launch.reportRead]) closeSync(results(slot));
    const client = SupervisorClient.afterStart(results(launch.client), attach.stdin);
    const message = await client.next();
    for (const fd of passed) closeSync(fd);
    if (message?.type === 'started') return { pid: message.pid, client };
    client.close();
    rmSync(session, { recursive: true, force: true });
    const failed = message?.type === 'failed' ? message : undefined;
    throw startError({
      container: view.name,
      command: request.command[0] ?? '',
      workdir: config.process.cwd,
      step: failed?.op === undefined ? undefined : start.stepOf[failed.op],
      errno: failed?.errno ?? 0,
      words: failed?.words ?? 'the supervisor ended without a word',
    });
  } finally {
    closeSync(runtimeFd);
    closeSync(pidfd);
    closeSync(holder);
  }
}

/** What the session's supervisor does last. */
const removeSession = (session: string): Program => ({
  slots: new Slots(),
  steps: [
    {
      actor: 'supervisor',
      why: 'the session is over',
      op: { kind: 'remove-tree', dir: AT_FDCWD, path: session },
    },
  ],
});

/** The container's configuration with the process that is to be run. */
function execConfig(
  engine: Engine,
  view: ContainerView,
  request: ExecRequest,
  initPid: number,
  windowSize: { height: number; width: number } | undefined,
): RuntimeConfig {
  const config = parseConfig(readFileSync(containerFiles(engine.paths, view.id).config, 'utf8'));
  const { record } = view;
  // The container's files as they are now, resolved inside its root.
  const root = [`/proc/${initPid}/root`];
  const spec = request.user ?? record.user;
  const user = resolveUser(spec, readInLayers(root, '/etc/passwd'), readInLayers(root, '/etc/group'));
  const home = request.user === undefined ? [] : [`HOME=${user.home}`];
  const process: Process = {
    ...config.process,
    terminal: request.tty,
    args: request.command,
    cwd: request.workdir ?? config.process.cwd,
    env: mergeEnvironment(config.process.env, home, request.tty ? ['TERM=xterm'] : [], request.env),
    user: {
      uid: user.uid,
      gid: user.gid,
      umask: config.process.user.umask ?? 0o022,
      additionalGids: record.singleId ? [] : user.additionalGids,
    },
    ...(windowSize && { consoleSize: windowSize }),
  };
  const rights = request.privileged
    ? security({ capAdd: [], capDrop: [], privileged: true, securityOpt: [] }, user.uid)
    : undefined;
  const sets = config.process.capabilities;
  if (rights) process.capabilities = rights.capabilities;
  else if (sets && user.uid !== config.process.user.uid) {
    process.capabilities =
      user.uid === 0
        ? { ...sets, effective: sets.bounding, permitted: sets.bounding, inheritable: [], ambient: [] }
        : { ...sets, effective: sets.ambient, permitted: sets.ambient };
  }
  const { seccomp, ...linux } = config.linux;
  return { ...config, process, linux: request.privileged || !seccomp ? linux : { ...linux, seccomp } };
}
