/**
 * What the container's first process does, from clone3 to execve, in order. See docs/architecture.md for the picture.
 */

import type { NamespaceType, RuntimeConfig, RuntimeMount } from '../spec/runtime.ts';
import { call, close, op } from '../sys/calls.ts';
import {
  AF_INET,
  IFF_RUNNING,
  IFF_UP,
  MOUNT_ATTR_RDONLY,
  PR_SET_DUMPABLE,
  SIOCSIFFLAGS,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
} from '../sys/constants.ts';
import { ifreq } from '../sys/ifreq.ts';
import type { Slot, Slots, Step } from '../sys/step.ts';
import { enterCgroup, hidesCgroups } from './cgroup/enter.ts';
import {
  checkSupervisor,
  closeEverything,
  dieWithSupervisor,
  executeCommand,
  REPORT_FD,
  waitForGo,
} from './command.ts';
import { deviceSteps, STANDARD_DEVICES } from './devices.ts';
import { joinGivenNamespaces } from './given-namespaces.ts';
import { InRoot } from './in-root.ts';
import { behindMounts, maskSteps, type PathKind, readonlySteps } from './masks.ts';
import { attach, cloneTree, mountSource, setAttributes } from './mounts.ts';
import { dropPrivileges } from './privileges.ts';
import { resourceLimits } from './resource-limits.ts';
import { isolatePropagation, pivot } from './root.ts';
import { compiledFilter } from './seccomp/compiled-filter.ts';
import { openTerminal, useTerminal } from './terminal.ts';
import { becomeContainerRoot, hasOwnUsers } from './user-namespace.ts';

/** The ends that the new process uses; absent: /dev/null. */
export interface ProcessStreams {
  stdin?: Slot | number | undefined;
  stdout?: Slot | number | undefined;
  stderr?: Slot | number | undefined;
  /** Instead of the three: where the pty master is sent. */
  terminalSocket?: Slot;
}

export interface InitContext {
  slots: Slots;
  config: RuntimeConfig;
  /** Steps of actor `container` that mount the root file system at config.root.path. */
  rootfs: readonly Step[];
  streams: ProcessStreams;
  report: Slot;
  barrier: Slot;
  kindOf: PathKind;
  canSetGroups: boolean;
  /** Directory where compiled seccomp filters are kept; undefined = nowhere. */
  filterCache?: string | undefined;
  /** The container's cgroups, to be entered before anything else; its cgroup namespace is made then. */
  cgroups?: readonly string[] | undefined;
  /** Descriptors of the supervisor that the command is to have as 3, 4, … */
  passed?: readonly number[] | undefined;
  /** Descriptor that trace records go to; undefined = no trace. */
  traceFd?: number | undefined;
}

/** Does the container get a new namespace of this type? */
export const isNew = (config: RuntimeConfig, type: NamespaceType): boolean =>
  config.linux.namespaces.some((namespace) => namespace.type === type && namespace.path === undefined);

export function initSteps(context: InitContext): Step[] {
  const { slots, config } = context;
  const root = slots.new('root');
  const inRoot = new InRoot(slots, root);
  const mounts = mountSteps(slots, config.mounts);
  const devices = hasOwnDev(config)
    ? deviceSteps(
        slots,
        STANDARD_DEVICES.map((name) => `/dev/${name}`),
      )
    : undefined;
  const extra = deviceBinds(context, inRoot);
  const kindOf = behindMounts(config.mounts, context.kindOf);
  const masks = maskSteps(slots, config.linux.maskedPaths ?? [], kindOf);
  return [
    op('container', 'say which step failed', { kind: 'report', fd: context.report }),
    call('container', 'nobody may look into this process while it is half a container', 'prctl', [
      PR_SET_DUMPABLE,
      0,
      0,
      0,
      0,
    ]),
    dieWithSupervisor(),
    call('container', 'a session of its own: no terminal of the user', 'setsid', []),
    call('container', 'whatever the user’s mask is, others may see what is made here', 'umask', [0o022]),
    ...enterCgroup(slots, context.cgroups ?? [], hidesCgroups(config)),
    ...joinGivenNamespaces(slots, config),
    isolatePropagation(),
    ...hostname(config),
    ...(isNew(config, 'network') ? loopbackUp(slots) : []),
    ...context.rootfs,
    ...mounts.before,
    ...(devices?.before ?? []),
    ...extra.before,
    ...masks.before,
    ...pivot(config.root.path, root),
    ...becomeContainerRoot(config),
    ...mounts.after(inRoot, (mount) =>
      mount.destination === '/dev' && devices ? devices.after(inRoot) : [],
    ),
    ...extra.after,
    ...streamsOf(context, inRoot),
    ...sysctls(slots, config),
    ...masks.after(inRoot),
    ...readonlySteps(slots, inRoot, config.linux.readonlyPaths ?? [], kindOf),
    ...inRoot.ensureDirectory(config.process.cwd, 'the working directory exists'),
    ...(config.root.readonly
      ? [setAttributes(root, 'the root file system is read-only', MOUNT_ATTR_RDONLY, 0, false)]
      : []),
    ...becomeCommand(context),
  ];
}

/** From a set-up container to its command; an exec'd process ends the same way. */
export function becomeCommand(
  context: Pick<
    InitContext,
    'slots' | 'config' | 'barrier' | 'report' | 'canSetGroups' | 'filterCache' | 'traceFd' | 'passed'
  >,
): Step[] {
  const { slots, config, passed = [] } = context;
  const { process } = config;
  return [
    ...resourceLimits(slots, process),
    ...waitForGo(slots, context.barrier, context.report),
    ...closeEverything(slots, context.report, context.traceFd, passed),
    ...dropPrivileges(
      process,
      config.linux.seccomp && compiledFilter(config.linux.seccomp, context.filterCache),
      context.canSetGroups,
    ),
    dieWithSupervisor(),
    ...checkSupervisor(slots, REPORT_FD + passed.length),
    call('container', 'files are made with this mask', 'umask', [process.user.umask ?? 0o022]),
    call('container', 'the working directory, as the user who will use it', 'chdir', [process.cwd]),
    ...executeCommand(process),
  ];
}

/** Is /dev a file system of the container's own, to be filled with nodes? */
const hasOwnDev = (config: RuntimeConfig): boolean =>
  config.mounts.some((mount) => mount.destination === '/dev' && mount.type === 'tmpfs');

function mountSteps(
  slots: Slots,
  mounts: readonly RuntimeMount[],
): { before: Step[]; after: (inRoot: InRoot, then: (mount: RuntimeMount) => Step[]) => Step[] } {
  const sources = mounts.map((mount) => ({
    mount,
    source: mountSource(slots, mount, `${mount.destination}: ${describe(mount)}`),
  }));
  return {
    before: sources.flatMap(({ source }) => source.steps),
    after: (inRoot, then) =>
      sources.flatMap(({ mount, source }) => [
        ...(isFileMount(mount)
          ? inRoot.ensureFile(mount.destination, `make a place for ${mount.destination}`)
          : inRoot.ensureDirectory(mount.destination, `make a place for ${mount.destination}`)),
        ...attach(inRoot, source.fd, mount.destination, `attach ${mount.destination}`),
        ...then(mount),
      ]),
  };
}

/** tsrun marks mounts of files in the configuration that it writes; the runtime-spec leaves it to the runtime to look. */
const isFileMount = (mount: RuntimeMount): boolean => mount.options?.includes('x-file') === true;

function describe(mount: RuntimeMount): string {
  const isBind =
    mount.type === 'bind' || mount.options?.some((option) => option === 'bind' || option === 'rbind');
  return isBind ? `bind ${mount.source}` : `a new ${mount.type}`;
}

function deviceBinds({ slots, config }: InitContext, inRoot: InRoot): { before: Step[]; after: Step[] } {
  const nodes = (config.linux.devices ?? []).map((device) => ({
    device,
    tree: cloneTree(slots, device.path, `take ${device.path} of the host`, false),
  }));
  return {
    before: nodes.flatMap(({ tree }) => tree.steps),
    after: nodes.flatMap(({ device, tree }) => [
      ...inRoot.ensureFile(device.path, `make a place for ${device.path}`),
      ...attach(inRoot, tree.fd, device.path, `give the container ${device.path}`),
    ]),
  };
}

function hostname(config: RuntimeConfig): Step[] {
  if (!isNew(config, 'uts')) return [];
  const set = (name: 'sethostname' | 'setdomainname', value: string | undefined): Step[] =>
    value === undefined
      ? []
      : [call('container', `its own ${name.slice(3)}`, name, [value, Buffer.byteLength(value)])];
  return [...set('sethostname', config.hostname), ...set('setdomainname', config.domainname)];
}

/** In a new network namespace even `lo` is down (netdevice(7)). */
function loopbackUp(slots: Slots): Step[] {
  const socket = slots.new('socket');
  const up = ifreq('lo', [{ width: 2, value: IFF_UP | IFF_RUNNING }], 2, 'lo, IFF_UP');
  return [
    call(
      'container',
      'a socket to talk about interfaces',
      'socket',
      [AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0],
      { result: socket },
    ),
    call('container', 'bring the loopback interface up', 'ioctl', [socket, SIOCSIFFLAGS, up]),
    close('container', 'it is up', socket),
  ];
}

/** Descriptors 0–2, and /dev/console with a terminal. */
function streamsOf(context: InitContext, inRoot: InRoot): Step[] {
  const { slots, streams, config } = context;
  const { uid } = config.process.user;
  if (!streams.terminalSocket) return pipeStreams(streams, hasOwnUsers(config) ? 0 : uid);
  const size = config.process.consoleSize;
  const terminal = openTerminal(
    slots,
    streams.terminalSocket,
    uid,
    size && { rows: size.height, columns: size.width },
  );
  const console = cloneTree(slots, terminal.slave, 'the terminal as a file', false);
  return [
    ...terminal.steps,
    ...console.steps,
    ...inRoot.ensureFile('/dev/console', 'make a place for /dev/console'),
    ...attach(inRoot, console.fd, '/dev/console', 'the terminal is the console'),
    ...useTerminal(terminal.slave),
  ];
}

/** Pipes as 0–2, owned by the container's user, who may then open /dev/stdout again. */
export function pipeStreams(streams: ProcessStreams, uid: number): Step[] {
  const { stdin, stdout, stderr } = streams;
  const own = (fd: Slot | number): Step[] =>
    // A number is a descriptor of the user's own, whose owner is none of ours to change.
    typeof fd !== 'number' && uid !== 0
      ? [
          call('container', 'its user may open it again, as /dev/stdout', 'fchown', [fd, uid, -1], {
            tolerate: ['EPERM', 'EINVAL'],
          }),
        ]
      : [];
  return [stdin, stdout, stderr].flatMap((fd, target) =>
    fd
      ? [...own(fd), call('container', ['stdin', 'stdout', 'stderr'][target] ?? '', 'dup3', [fd, target, 0])]
      : [],
  );
}

function sysctls(slots: Slots, config: RuntimeConfig): Step[] {
  return Object.entries(config.linux.sysctl ?? {}).flatMap(([key, value]) => {
    const fd = slots.new(key);
    const path = `/proc/sys/${key.replaceAll('.', '/')}`;
    const why = `${key} = ${value}`;
    return [
      call('container', why, 'openat', [-100, path, 0o2000001, 0], { result: fd }),
      call('container', why, 'write', [fd, value, Buffer.byteLength(value)]),
      close('container', 'written', fd),
    ];
  });
}
