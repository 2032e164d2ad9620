/**
 * Starting a container: the programs are made from what is on disk, a supervisor is launched, and its first words are awaited.
 */
import { closeSync, readFileSync, rmSync } from 'node:fs';
import { tsrunError } from '../errors.ts';
import type { CgroupPlan } from '../launch/cgroup/plan.ts';
import { initSteps } from '../launch/init-program.ts';
import { hostPathKind } from '../launch/masks.ts';
import { namespaceFlags, SUPERVISOR_SLOTS, startProgram } from '../launch/start-program.ts';
import { rootfsDriver } from '../rootfs/drivers.ts';
import { awaitExecve, enter, runEntry } from '../rootless/enter.ts';
import { rememberHolder } from '../rootless/holder.ts';
import type { RuntimeConfig } from '../spec/runtime.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import { type ContainerPhase, readContainerState } from '../store/container-state.ts';
import { containerFiles, runtimeContainerDirectory } from '../store/paths.ts';
import { SupervisorClient } from '../supervisor/client.ts';
import type { Streams } from '../supervisor/messages.ts';
import { FD_TRACE } from '../supervisor/protocol.ts';
import { encodeSpec, type HealthSpec } from '../supervisor/spec.ts';
import { CLONE_NEWCGROUP } from '../sys/constants.ts';
import { type EncodedProgram, encodeProgram } from '../sys/encode.ts';
import { currentBootId, startTimeOf } from '../sys/process.ts';
import { type Program, type Slot, Slots, type Step } from '../sys/step.ts';
import { parseConfig } from './config-json.ts';
import { containerCgroup } from './container-cgroup.ts';
import { eventSpec } from './container-events.ts';
import {
  type ConnectedNetwork,
  type ContainerNetwork,
  chooseNetwork,
  claimContainerPorts,
  rootlessForSharing,
  withNetworkNamespace,
  withoutBridge,
} from './container-network.ts';
import { rootfsPaths } from './container-rootfs.ts';
import { viewContainer } from './container-view.ts';
import { startError } from './failure.ts';
import { withSharedNamespaces } from './joined-namespaces.ts';
import { passedNumbers, planSupervisor, type SupervisorLaunch } from './launch-supervisor.ts';
import { lockContainer } from './lock-container.ts';
import { logSpec } from './log-spec.ts';
import type { Engine } from './open-engine.ts';
import { removalSteps } from './removal.ts';
import type { ServiceManager } from './service-manager.ts';
import { type SurroundingOptions, startSurroundings } from './start-surroundings.ts';
import { supervision } from './supervision.ts';
import { writeNetworkFiles } from './write-network-files.ts';

export interface StartOptions extends SurroundingOptions {
  /** The streams that the returned client gets from the first byte. */
  attach: Streams;
  /** Of the user's terminal, for -t. */
  windowSize?: { height: number; width: number } | undefined;
  /** Told what the records of a trace mean. */
  onPrograms?: ((programs: { user: EncodedProgram; supervisor: EncodedProgram }) => void) | undefined;
}

export interface StartedContainer {
  /** Pid of the container's init on the host. */
  pid: number;
  /** Attached to the streams asked for; EXIT comes on it in any case. */
  client: SupervisorClient;
}

/** What a start needs besides the record: decided anew each time, or of code that few containers load. */
export interface StartExtras {
  cgroup?: CgroupPlan | undefined;
  /** Steps of the container that mount images (image-mounts.ts). */
  imageMounts?: ((slots: Slots) => Step[]) | undefined;
  /** Descriptors of this process that are for the command. */
  passed?: readonly number[] | undefined;
  /** Those that are its stdin, stdout and stderr, with --log-driver passthrough. */
  stdio?: readonly number[] | undefined;
  /** Steps of the supervisor that write --pidfile (pid-file.ts). */
  ready?: ((slots: Slots, initPid: Slot) => Step[]) | undefined;
  /** Who is told of it. */
  manager?: Omit<ServiceManager, 'config'> | undefined;
}

/** Undefined for a container without any. */
export async function imageMountsOf(
  engine: Engine,
  record: ContainerRecord,
): Promise<StartExtras['imageMounts']> {
  if (!record.mounts.some(({ image }) => image)) return undefined;
  const { imageMountSteps } = await import('./image-mounts.ts');
  return (slots) => imageMountSteps(engine.paths, record, slots);
}

/** The supervisor's program for this container. */
export function containerProgram(
  engine: Engine,
  record: ContainerRecord,
  config: RuntimeConfig,
  network: ContainerNetwork,
  {
    traced = false,
    cgroup,
    imageMounts,
    passed = [],
    stdio = [],
    ready,
    manager,
  }: StartExtras & { traced?: boolean } = {},
): Program {
  const driver = rootfsDriver(record.rootfsDriver);
  const numbers = passedNumbers([...passed, ...stdio]);
  return startProgram({
    config,
    openStdin: record.openStdin,
    before: manager?.before(SUPERVISOR_SLOTS.notify),
    // The namespace of a cgroup of its own is made in that cgroup.
    flags: namespaceFlags(config) & ~(cgroup ? CLONE_NEWCGROUP : 0n),
    passed: numbers,
    stdio: stdio.length > 0 ? numbers.slice(passed.length) : undefined,
    pidNamespace: config.linux.namespaces.find(({ type }) => type === 'pid')?.path,
    rootfs: (slots) => {
      const rootfs = driver.plan(slots, rootfsPaths(engine.paths, record));
      return imageMounts ? { ...rootfs, container: [...rootfs.container, ...imageMounts(slots)] } : rootfs;
    },
    attach: (context) =>
      network.driver.attach({
        ...context,
        ports: network.driver.publishing === 'none' ? [] : record.ports,
        directory: runtimeContainerDirectory(engine.paths, record.id),
      }),
    child: ({ slots, streams, report, barrier, rootfs }) =>
      initSteps({
        slots,
        config,
        rootfs,
        streams,
        report,
        barrier,
        kindOf: hostPathKind,
        canSetGroups: !record.singleId,
        filterCache: engine.paths.runtime,
        cgroups: cgroup?.directories,
        passed: numbers.slice(0, passed.length),
        traceFd: traced ? FD_TRACE : undefined,
      }),
    ready,
    holdsMounts: hasNoMountsOfOthers(record),
  });
}

/** A container that is removed at its end, and mounts nothing that somebody could want to unmount or use elsewhere by then. */
const hasNoMountsOfOthers = ({ autoRemove, rootfs, rootfsDriver, mounts }: ContainerRecord): boolean =>
  autoRemove && rootfs === undefined && rootfsDriver === 'overlay' && mounts.length === 0;

export interface StartPlan {
  /** For planSupervisor(), which needs a way into the namespaces besides. */
  supervisor: Omit<SupervisorLaunch, 'rootless'>;
  /** The supervisor's program, encoded. */
  start: EncodedProgram;
  config: RuntimeConfig;
}

/** Everything that a start executes. @param runtimeFd open descriptor of the container's runtime directory */
export function planStart(
  engine: Engine,
  record: ContainerRecord,
  config: RuntimeConfig,
  network: ContainerNetwork,
  options: Pick<StartOptions, 'attach' | 'windowSize' | 'trace'> & StartExtras,
  runtimeFd: number,
  { health, extra = [] }: { health?: HealthSpec | undefined; extra?: readonly number[] } = {},
): StartPlan {
  const { cgroup, imageMounts, passed = [], stdio = [], ready, manager } = options;
  const sized = options.windowSize
    ? { ...config, process: { ...config.process, consoleSize: options.windowSize } }
    : config;
  const start = encodeProgram(
    containerProgram(engine, record, sized, network, {
      traced: options.trace !== undefined,
      cgroup,
      imageMounts,
      passed,
      stdio,
      ready,
      manager,
    }),
  );
  if (options.trace) start.image.writeInt32LE(FD_TRACE, 24);
  const slots = new Slots();
  const removal = record.autoRemove
    ? removalSteps(engine.paths, record, slots, 'supervisor', true)
    : undefined;
  const last = [...(cgroup?.remove ?? []), ...(removal?.remove ?? [])];
  const cleanup = last.length > 0 ? encodeProgram({ slots, steps: last }) : undefined;
  const sweep = removal && encodeProgram({ slots: new Slots(), steps: removal.sweep });
  const spec = encodeSpec({
    start: start.image,
    ...(cleanup && { cleanup: cleanup.image, remove: record.autoRemove }),
    ...(sweep && { sweep: sweep.image }),
    bootId: currentBootId(),
    attach: options.attach,
    ...(record.openStdin && { stdinOnce: true }),
    ...supervision(record),
    ...(health && { health }),
    ...(manager?.notify && { notify: manager.notify }),
    ...(cgroup?.oomFile !== undefined && { oomFile: cgroup.oomFile }),
    ...logSpec(record),
    ...eventSpec(engine, record),
  });
  const supervisor = {
    spec,
    directory: containerFiles(engine.paths, record.id).directory,
    runtimeDirectory: runtimeFd,
    traceFd: options.trace?.supervisor,
    extra,
    passed: [...passed, ...stdio],
    ports: network.claim.sockets,
    before: (slots: Slots) => cgroup?.make(slots) ?? [],
  };
  return { supervisor, start, config: sized };
}

/** What `run` has at hand from creating the container a moment ago. */
export interface Prepared {
  config: RuntimeConfig;
  network: ContainerNetwork;
}

/** The configuration from disk, and the network chosen anew: the host may have changed since the container was created. */
function prepare(engine: Engine, record: ContainerRecord): Prepared {
  const config = readConfig(engine, record);
  const chosen = chooseNetwork(engine, record.networkMode, record.ports, record.endpoint);
  const network = claimContainerPorts(chosen, record.ports);
  const shared = withSharedNamespaces(engine, config, record.namespaces);
  return { config: withNetworkNamespace(shared, network), network };
}

/**
 * Starts it, if it does not run yet: of several starts at once one does. Undefined when it runs already.
 * @throws ERR_TSRUN_COMMAND_NOT_FOUND, ERR_TSRUN_COMMAND_NOT_EXECUTABLE, ERR_TSRUN_WORKDIR, ERR_TSRUN_START, ERR_TSRUN_NAMESPACES;
 * ERR_TSRUN_CONTAINER_UNKNOWN, ERR_TSRUN_CONTAINER_STATE when it has been removed or paused meanwhile
 */
export async function startUnlessRunning(
  engine: Engine,
  record: ContainerRecord,
  options: StartOptions,
  prepared?: Prepared,
): Promise<StartedContainer | undefined> {
  using lock = await lockContainer(engine, record.id);
  if (!lock) throw tsrunError('ERR_TSRUN_CONTAINER_UNKNOWN', { name: record.name });
  // A container that was made a moment ago has no state yet: that look costs one failing open.
  if ((await settledPhase(engine, record)) === 'running') return undefined;
  rmSync(containerFiles(engine.paths, record.id).restartSpec, { force: true }); // of an earlier supervisor
  const { config: planned, network: chosen } = prepared ?? prepare(engine, record);
  using _claim = chosen.claim;
  const { config, passed, stdio, manager } = await startSurroundings(engine, record, planned, options);
  if (chosen.warning !== undefined) engine.warn(chosen.warning);
  using connected = await connect(engine, record, chosen);
  const { network, extra } = connected;
  writeNetworkFiles(engine, record, network);
  const cgroup = await containerCgroup(engine, record, config);
  if (cgroup) (await import('./kept-cgroups.ts')).keepCgroups(engine.paths, record.id, cgroup.directories);
  const health =
    record.health &&
    (await import('./health-spec.ts')).healthSpec(
      record,
      record.health,
      config,
      engine.paths.runtime,
      cgroup?.directories,
    );
  const ready =
    record.pidfile === undefined ? undefined : (await import('./pid-file.ts')).pidFileSteps(record.pidfile);
  const extras = { cgroup, imageMounts: await imageMountsOf(engine, record), passed, stdio, ready, manager };
  // Not `...options`: that would make the signal which stops a pull (run.ts).
  const { attach, windowSize, trace, onPrograms } = options;
  const plan = planStart(engine, record, config, network, { attach, windowSize, trace, ...extras }, lock.fd, {
    health,
    extra,
  });
  try {
    const started = await launch(engine, record, plan, { attach, trace, onPrograms, manager }, connected);
    for (const fd of passed ?? []) closeSync(fd);
    await connected.settle();
    return started;
  } catch (error) {
    throw cgroup ? (await import('./cgroup-failure.ts')).cgroupFailure(error, record, cgroup) : error;
  }
}

/** Bridge networks are code that containers without one do not load. */
async function connect(
  engine: Engine,
  record: ContainerRecord,
  network: ContainerNetwork,
): Promise<ConnectedNetwork> {
  if (!network.bridge) return withoutBridge(network);
  const { connectNetworks } = await import('./connect-networks.ts');
  return await connectNetworks(engine, record, network, network.bridge);
}

/** Like startUnlessRunning(), for a container that must not run yet. */
export async function startContainer(
  ...args: Parameters<typeof startUnlessRunning>
): Promise<StartedContainer> {
  const started = await startUnlessRunning(...args);
  if (started) return started;
  const { name } = args[1];
  const hint = `tsrun attach ${name}`;
  throw tsrunError('ERR_TSRUN_CONTAINER_STATE', { name, state: 'running', wanted: 'stopped', hint });
}

/** Whether it runs; one whose last output is being written is waited for. @throws ERR_TSRUN_CONTAINER_STATE when it is paused */
async function settledPhase(engine: Engine, record: ContainerRecord): Promise<ContainerPhase> {
  const { phase } = readContainerState(engine.paths, record.id);
  if (phase === 'stopping') {
    const { waitContainer } = await import('./wait-container.ts');
    await waitContainer(engine, viewContainer(engine, record));
  }
  if (phase === 'paused') {
    const { name } = record;
    const hint = `tsrun unpause ${name}`;
    throw tsrunError('ERR_TSRUN_CONTAINER_STATE', { name, state: phase, wanted: 'stopped', hint });
  }
  // Its supervisor is about to start it again.
  return phase === 'restarting' ? 'running' : phase;
}

/** From disk. @throws ERR_TSRUN_START */
export function readConfig(engine: Engine, record: ContainerRecord): RuntimeConfig {
  try {
    return parseConfig(readFileSync(containerFiles(engine.paths, record.id).config, 'utf8'));
  } catch (error) {
    const doing = 'read its configuration';
    throw tsrunError(
      'ERR_TSRUN_START',
      { container: record.name, doing, hint: `tsrun rm -f ${record.name}` },
      error,
    );
  }
}

/** Runs program A and waits for the supervisor's first word. The supervisor is our child until we exit. */
async function launch(
  engine: Engine,
  record: ContainerRecord,
  plan: StartPlan,
  options: Pick<StartOptions, 'attach' | 'trace' | 'onPrograms'> & Pick<StartExtras, 'manager'>,
  connected: ConnectedNetwork,
): Promise<StartedContainer> {
  const { entry, results } = enter(connected.rootless ?? rootlessForSharing(engine, record), (rootless) => {
    const entry = planSupervisor({ ...plan.supervisor, rootless });
    const user = encodeProgram(entry);
    options.onPrograms?.({ user, supervisor: plan.start });
    const results = runEntry(entry, user, options.trace?.user);
    awaitExecve(entry, user, results);
    return { entry, results };
  });
  const client = SupervisorClient.afterStart(results(entry.client), options.attach.stdin);
  const supervisor = results(entry.pid);
  options.manager?.begins(supervisor);
  const pid = await firstWord(client, record, plan, connected);
  options.manager?.runs(supervisor);
  if (record.pidfile !== undefined || record.conmonPidfile !== undefined)
    (await import('./pid-file.ts')).writePidFiles(engine, record, { pid, supervisor });
  const startTime = entry.joins ? undefined : startTimeOf(supervisor);
  if (startTime !== undefined) rememberHolder(engine.paths.runtime, { pid: supervisor, startTime });
  for (const slot of [entry.pidfd, entry.reportRead, entry.helperOutput]) {
    if (results(slot) >= 0) closeSync(results(slot));
  }
  return { pid, client };
}

/** Waits for STARTED. */
async function firstWord(
  client: SupervisorClient,
  record: ContainerRecord,
  plan: StartPlan,
  connected: ConnectedNetwork,
): Promise<number> {
  const message = await client.next();
  if (message?.type === 'started') return message.pid;
  client.close();
  const failed = message?.type === 'failed' ? message : undefined;
  const step = failed?.op === undefined ? undefined : plan.start.stepOf[failed.op];
  throw startError({
    container: record.name,
    command: plan.config.process.args[0] ?? '',
    workdir: plan.config.process.cwd,
    step,
    errno: failed?.errno ?? 0,
    words: connected.explain(step) ?? failed?.words ?? 'the supervisor ended without a word',
  });
}
