/**
 * The program that ends with a running hub (native/hub.c), the network namespace of the user's bridge networks with it. Like that of a
 * supervisor: its binary and its orders are in memory files, its socket is made beforehand.
 *
 *     tsrun                                              hub
 *       | socket, bind hub.sock, listen; connect to it     |
 *       | clone into the rootless namespaces, execve ----> | the namespace
 *       | <----------------------- one byte, or a failure - |
 *       | (goes on with the container)                      | the uplink
 *
 * We are connected before the hub runs: it ends when nobody is, so it ends if we are killed on the way.
 */
import { hubNetworkProgram, hubUplinkProgram, type UplinkOptions } from '../network/hub-program.ts';
import {
  encodeHubSpec,
  HUB_FD_LISTEN,
  HUB_FD_LOG,
  HUB_FD_NETNS,
  HUB_FD_REPORT,
  HUB_FD_SPEC,
  hello,
} from '../network/hub-protocol.ts';
import { type EnterPlan, planEntry, type Rootless } from '../rootless/enter.ts';
import { call, close, pipe } from '../sys/calls.ts';
import {
  AF_UNIX,
  AT_EMPTY_PATH,
  AT_FDCWD,
  MSG_NOSIGNAL,
  O_CLOEXEC,
  O_CREAT,
  O_RDWR,
  O_TRUNC,
  SOCK_CLOEXEC,
  SOCK_SEQPACKET,
} from '../sys/constants.ts';
import { type EncodedProgram, encodeProgram } from '../sys/encode.ts';
import { nativeDirectory } from '../sys/native-directory.ts';
import { type Slot, Slots, type Step } from '../sys/step.ts';
import { HUB_LOG, HUB_SOCKET, hubAddress } from './hub-files.ts';
import { memfd, placeDescriptors } from './launch-supervisor.ts';

export interface HubLaunch {
  rootless: Rootless;
  /** Open descriptor of the hub's directory. */
  directory: number;
  /** Has the kernel IPv6? */
  ipv6: boolean;
  /** undefined = the containers have no way out */
  uplink: UplinkOptions | undefined;
  /** Descriptor of the network namespace of a hub that was killed; undefined = a new one is made. */
  netns?: number | undefined;
}

export interface HubPlan extends EnterPlan {
  /** Our connection to it. */
  connection: Slot;
  /** Read end: what comes of it. */
  report: Slot;
  /** What its two programs' failures mean. */
  network: EncodedProgram;
  uplink: EncodedProgram | undefined;
}

export function planHub(launch: HubLaunch): HubPlan {
  const slots = new Slots();
  const { ipv6, uplink: way, netns } = launch;
  const program = hubNetworkProgram(ipv6, way?.outward ?? false, netns !== undefined, way?.subnet);
  const network = encodeProgram(program);
  const uplink = launch.uplink && encodeProgram(hubUplinkProgram(launch.uplink, ipv6));
  const spec = memfd(slots, 'hub-spec', encodeHubSpec(network.image, uplink?.image), 'what the hub is to do');
  const self = memfd(slots, 'hub', { file: `${nativeDirectory()}/hub` }, 'a copy of the hub to run from');
  const [listen, connection, report, reportWrite, log] = [
    'listener',
    'connection',
    'report.r',
    'report.w',
    'log',
  ].map((name) => slots.new(name)) as [Slot, Slot, Slot, Slot, Slot];
  const given = { spec: spec.fd, listen, report: reportWrite, log, self: self.fd, netns: launch.netns };
  const entry = planEntry(launch.rootless, slots, becomeHub(slots, given), false);
  return {
    ...entry,
    connection,
    report,
    network,
    uplink,
    steps: [
      ...spec.steps,
      ...self.steps,
      ...sockets(launch.directory, listen, connection),
      pipe('user', 'learn what comes of it', report, reportWrite, O_CLOEXEC),
      call(
        'user',
        'what the uplink says',
        'openat',
        [launch.directory, HUB_LOG, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600],
        { result: log },
      ),
      ...entry.steps,
      ...[spec.fd, self.fd, listen, reportWrite, log].map((fd) => close('user', 'the hub has its copy', fd)),
    ],
  };
}

function sockets(directory: number, listen: Slot, connection: Slot): Step[] {
  const { memory, size } = hubAddress(directory);
  const type = SOCK_SEQPACKET | SOCK_CLOEXEC;
  return [
    call('user', 'where the hub is found', 'socket', [AF_UNIX, type, 0], { result: listen }),
    call('user', 'that of an earlier one', 'unlinkat', [directory, HUB_SOCKET, 0], { tolerate: ['ENOENT'] }),
    call('user', 'give it its name', 'bind', [listen, memory, size]),
    call('user', 'take members from now on', 'listen', [listen, 4096]),
    call('user', 'be the first of them', 'socket', [AF_UNIX, type, 0], { result: connection }),
    call('user', 'the hub ends when it has none', 'connect', [connection, memory, size]),
    call('user', 'answered as soon as it runs', 'sendto', [connection, hello(), 4, MSG_NOSIGNAL, 0, 0]),
  ];
}

interface Given {
  spec: Slot;
  listen: Slot;
  report: Slot;
  log: Slot;
  self: Slot;
  netns: number | undefined;
}

function becomeHub(slots: Slots, given: Given): Step[] {
  const nothing = slots.new('/dev/null');
  return [
    call('rootless', 'no terminal of the user, and no signal from it', 'setsid', []),
    call('rootless', 'its streams are nowhere', 'openat', [AT_FDCWD, '/dev/null', O_RDWR | O_CLOEXEC, 0], {
      result: nothing,
    }),
    ...placeDescriptors(
      slots,
      [
        [nothing, 0],
        [nothing, 1],
        [nothing, 2],
        [given.spec, HUB_FD_SPEC],
        [given.listen, HUB_FD_LISTEN],
        [given.report, HUB_FD_REPORT],
        [given.log, HUB_FD_LOG],
        ...(given.netns === undefined ? [] : [[given.netns, HUB_FD_NETNS] as const]),
      ],
      'the hub',
    ),
    call('rootless', 'hold no directory of the user', 'chdir', ['/']),
    call('rootless', 'become the hub', 'execveat', [
      given.self,
      '',
      { strings: ['tsrun-hub'] },
      { strings: [] },
      AT_EMPTY_PATH,
    ]),
  ];
}
