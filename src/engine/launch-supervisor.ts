/**
 * Program A: from the user's tsrun to a supervisor in the rootless namespaces (DESIGN: the processes).
 *
 * The supervisor's binary is executed from a sealed memfd: whoever gets hold of /proc/PID/exe from inside a container finds a copy
 * that cannot be written (CVE-2019-5736). The spec travels in a memfd as well; nothing of it is on disk.
 */
import { FORWARD_FIRST_FD } from '../network/forward/config.ts';
import { type EnterPlan, planEntry, type Rootless } from '../rootless/enter.ts';
import { forFirstWords } from '../supervisor/client.ts';
import { FD_CLIENT, FD_DIRECTORY, FD_EXTRA, FD_LISTEN, FD_SPEC, FD_TRACE } from '../supervisor/protocol.ts';
import { call, close } from '../sys/calls.ts';
import {
  AF_UNIX,
  AT_EMPTY_PATH,
  AT_FDCWD,
  CLOSE_RANGE_CLOEXEC,
  F_ADD_SEALS,
  F_DUPFD_CLOEXEC,
  F_SEAL_ALL,
  MFD_ALLOW_SEALING,
  MFD_CLOEXEC,
  O_CLOEXEC,
  O_DIRECTORY,
  O_RDWR,
  SOCK_CLOEXEC,
  SOCK_STREAM,
} from '../sys/constants.ts';
import { nativeDirectory } from '../sys/native-directory.ts';
import { type Memory, type Slot, Slots, type Step } from '../sys/step.ts';

export interface SupervisorLaunch {
  rootless: Rootless;
  /** encodeSpec() */
  spec: Buffer;
  /** Where state.json, exit.json and the log go. */
  directory: string;
  /** Open descriptor of the directory for the attach socket; undefined = no later clients. */
  runtimeDirectory: number | undefined;
  /** Write end of a pipe for the supervisor's trace. */
  traceFd: number | undefined;
  /** Descriptors for FD_EXTRA, FD_EXTRA + 1, …: an exec's pidfd. */
  extra: readonly number[];
  /** Descriptors for FD_PASSED, FD_PASSED + 1, …: what the container's command is to have. */
  passed?: readonly number[] | undefined;
  /** Bound sockets of published ports, for FORWARD_FIRST_FD, FORWARD_FIRST_FD + 1, … */
  ports?: readonly number[];
  /** The supervisor's last steps before its execve, with slots of this program. */
  before: (slots: Slots) => readonly Step[];
}

/** First descriptor of `passed`: above all that a starting tsrun has; as many as passed-descriptors.ts allows are below FORWARD_FIRST_FD. */
const FD_PASSED = 256;
/** What they are called in the supervisor. */
export const passedNumbers = (passed: readonly number[] = []): number[] =>
  passed.map((_, i) => FD_PASSED + i);

export interface LaunchPlan extends EnterPlan {
  /** Our end of the first client's socket. */
  client: Slot;
  /** Does it join namespaces that are there? */
  joins: boolean;
}

/** More than any file of ours has. */
const ALL = 0x7ffff000;

function copyOf(slots: Slots, file: string, to: Slot, why: string): Step[] {
  const from = slots.new(`${to.name}.file`);
  return [
    call('user', why, 'openat', [AT_FDCWD, file, O_CLOEXEC, 0], { result: from }),
    call('user', why, 'sendfile', [to, from, 0, ALL]),
    close('user', 'it is copied', from),
  ];
}

/** A sealed memfd that holds `content`, or what a file holds. */
export function memfd(
  slots: Slots,
  name: string,
  content: Buffer | { file: string },
  why: string,
): { fd: Slot; steps: Step[] } {
  const fd = slots.new(name);
  return {
    fd,
    steps: [
      call('user', why, 'memfd_create', [`tsrun-${name}`, MFD_CLOEXEC | MFD_ALLOW_SEALING], { result: fd }),
      ...('file' in content
        ? copyOf(slots, content.file, fd, why)
        : [call('user', why, 'write', [fd, content, content.length])]),
      call('user', 'nobody can change it any more', 'fcntl', [fd, F_ADD_SEALS, F_SEAL_ALL]),
    ],
  };
}

/** sun_path has only 108 bytes, fewer than a store's path may have, so the directory is named by its descriptor. */
function listener(slots: Slots, runtimeDirectory: number): { fd: Slot; steps: Step[] } {
  const fd = slots.new('listener');
  const path = Buffer.from(`/proc/self/fd/${runtimeDirectory}/attach\0`);
  const address: Memory = { fields: [{ width: 2, value: AF_UNIX }, { bytes: path }], say: '…/attach' };
  return {
    fd,
    steps: [
      call('user', 'the socket for later clients', 'socket', [AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0], {
        result: fd,
      }),
      call('user', 'one of an earlier start may be there', 'unlinkat', [runtimeDirectory, 'attach', 0], {
        tolerate: ['ENOENT'],
      }),
      call('user', 'give it its name', 'bind', [fd, address, 2 + path.length]),
      call('user', 'take clients from now on', 'listen', [fd, 16]),
    ],
  };
}

/** The program that ends with a running supervisor. */
export function planSupervisor(launch: SupervisorLaunch): LaunchPlan {
  const slots = new Slots();
  const client = slots.new('client');
  const theirs = slots.new('client.theirs');
  const spec = memfd(slots, 'spec', launch.spec, 'what the supervisor is to do');
  const self = memfd(
    slots,
    'supervisor',
    { file: `${nativeDirectory()}/supervisor` },
    'a copy of the supervisor to run from',
  );
  const listen = launch.runtimeDirectory === undefined ? undefined : listener(slots, launch.runtimeDirectory);
  const pair: Memory = {
    fields: [
      { width: 4, into: client },
      { width: 4, into: theirs },
    ],
    say: '[ours, theirs]',
  };
  const given = { spec: spec.fd, listen: listen?.fd, client: theirs, self: self.fd };
  const entry = planEntry(launch.rootless, slots, becomeSupervisor(slots, launch, given), false);
  return {
    ...entry,
    client,
    joins: launch.rootless.holder !== undefined,
    steps: [
      ...spec.steps,
      ...self.steps,
      ...(listen?.steps ?? []),
      call('user', 'tsrun and the supervisor talk over this', 'socketpair', [
        AF_UNIX,
        SOCK_STREAM | SOCK_CLOEXEC,
        0,
        pair,
      ]),
      forFirstWords(client),
      ...entry.steps,
      ...[spec.fd, self.fd, theirs, ...(listen ? [listen.fd] : [])].map((fd) =>
        close('user', 'the supervisor has its copy', fd),
      ),
    ],
  };
}

interface Given {
  spec: Slot;
  listen: Slot | undefined;
  client: Slot;
  self: Slot;
}

function becomeSupervisor(slots: Slots, launch: SupervisorLaunch, given: Given): Step[] {
  const directory = slots.new('directory');
  const nothing = slots.new('/dev/null');
  const ports = launch.ports ?? [];
  const self = ports.length > 0 ? slots.new('supervisor.parked') : given.self;
  const inPlace = placeDescriptors(slots, [
    [nothing, 0],
    [nothing, 1],
    [nothing, 2],
    [given.spec, FD_SPEC],
    ...(given.listen ? [[given.listen, FD_LISTEN] as const] : []),
    [given.client, FD_CLIENT],
    [directory, FD_DIRECTORY],
    ...(launch.traceFd === undefined ? [] : [[launch.traceFd, FD_TRACE] as const]),
    ...launch.extra.map((fd, i) => [fd, FD_EXTRA + i] as const),
    ...(launch.passed ?? []).map((fd, i) => [fd, FD_PASSED + i] as const),
    ...ports.map((fd, i) => [fd, FORWARD_FIRST_FD + i] as const),
  ]);
  return [
    call('rootless', 'no terminal of the user, and no signal from it', 'setsid', []),
    call('rootless', 'its streams are nowhere', 'openat', [AT_FDCWD, '/dev/null', O_RDWR | O_CLOEXEC, 0], {
      result: nothing,
    }),
    call(
      'rootless',
      'where the container’s records go',
      'openat',
      [AT_FDCWD, launch.directory, O_DIRECTORY | O_CLOEXEC, 0],
      {
        result: directory,
      },
    ),
    // With hundreds of sockets open its own number is one that a socket gets.
    ...(self === given.self
      ? []
      : [
          call(
            'rootless',
            'out of the way of the ports’ sockets',
            'fcntl',
            [given.self, F_DUPFD_CLOEXEC, FORWARD_FIRST_FD + ports.length],
            { result: self },
          ),
        ]),
    ...inPlace,
    ...launch.before(slots),
    call('rootless', 'hold no directory of the user', 'chdir', ['/']),
    call('rootless', 'become the supervisor', 'execveat', [
      self,
      '',
      { strings: ['tsrun-supervisor'] },
      { strings: [] },
      AT_EMPTY_PATH,
    ]),
  ];
}

const PARKED_FROM = 64;

/**
 * Puts descriptors at fixed numbers: first all out of the way, above the highest of these numbers, so that none that is put into place takes
 * the place of one that waits; then each into place. Every other is closed at execve.
 */
export function placeDescriptors(
  slots: Slots,
  wanted: readonly (readonly [from: Slot | number, to: number])[],
  whose = 'the supervisor',
): Step[] {
  const above = Math.max(PARKED_FROM, ...wanted.map(([, to]) => to + 1));
  const parked = wanted.map(([from], i) => ({ from, slot: slots.new(`parked${i}`) }));
  const why = `give ${whose} its descriptors`;
  return [
    ...parked.map(({ from, slot }) =>
      call('rootless', why, 'fcntl', [from, F_DUPFD_CLOEXEC, above], { result: slot }),
    ),
    call('rootless', 'and no other', 'close_range', [0, 0xffffffff, CLOSE_RANGE_CLOEXEC]),
    ...wanted.map(([, to], i) => call('rootless', why, 'dup3', [parked[i]?.slot ?? 0, to, 0])),
  ];
}
