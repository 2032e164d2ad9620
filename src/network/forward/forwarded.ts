/**
 * Published ports by tsrun's own forwarder (native/forward/forward.c), for any driver that gives the container an address.
 *
 *     supervisor                              forwarder, a child
 *       | the listening sockets: from tsrun,    |
 *       | or made here, at 512, 513, …          |
 *       | clone ------------------------------> | PR_SET_PDEATHSIG, enter the container's network namespace, routing, an empty root,
 *       | close its copies                      | execve of the supervisor's own binary, as `tsrun-forward`
 *       | (the driver connects the container)   |
 *       | ppoll, read "1" <-------------------- | it takes connections
 *
 * The supervisor keeps no copy of the sockets: when the forwarder is killed, the ports are free.
 */
import { call, close, op, pipe } from '../../sys/calls.ts';
import { AT_FDCWD, MFD_CLOEXEC, O_CLOEXEC, O_NONBLOCK, O_PATH } from '../../sys/constants.ts';
import type { Slot, Step } from '../../sys/step.ts';
import type { AttachContext, NetworkDriver, PortMapping } from '../driver.ts';
import { readExactly, startHelper, waitForAny } from '../helper-steps.ts';
import { encodeForwardConfig, FORWARD_FIRST_FD, FORWARDER, type ForwardTarget } from './config.ts';
import { emptyRoot } from './empty-root.ts';
import { BACKLOG, type Binding, bindingOf, makeSocket, portName, reuseAddress } from './listening-socket.ts';
import { enterNetwork, routingSteps } from './routing.ts';
import { familyAndPort } from './socket-address.ts';

export interface ForwardOptions {
  target: ForwardTarget;
  /** Whether the host knows IPv6. */
  hasIpv6: boolean;
  /** How many descriptors the forwarder may have open: it needs two for each connection. */
  openFiles: number;
}

/** `driver`, whose ports are published by the forwarder instead of by itself. */
export function forwarded(driver: NetworkDriver, options: ForwardOptions): NetworkDriver {
  return {
    ...driver,
    publishing: 'sockets',
    keepsClientAddresses: options.target.transparent,
    attach: (context) => {
      if (context.ports.length === 0) return driver.attach(context);
      const ready = context.slots.new('forward.r');
      return [
        ...forwardSteps(context, options, ready),
        ...driver.attach({ ...context, ports: [] }),
        waitForAny('the forwarder is ready, or has ended', [ready]),
        ...readExactly(context.slots, 'the forwarder must be ready: it writes "1"', ready, 1),
        close('supervisor', 'it said what it had to say', ready),
      ];
    },
  };
}

function forwardSteps(context: AttachContext, options: ForwardOptions, ready: Slot): Step[] {
  const { slots, ports, initPid, stderr, stderrReader, directory, executable = '/proc/self/exe' } = context;
  const { target, openFiles } = options;
  const last = FORWARD_FIRST_FD + ports.length - 1;
  const written = slots.new('forward.w');
  const config = slots.new('forward.config');
  const self = slots.new('self');
  const bytes = encodeForwardConfig(target, ports);
  return [
    ...socketSteps(context, options),
    call('supervisor', 'what the forwarder is to do', 'memfd_create', ['tsrun-forward', MFD_CLOEXEC], {
      result: config,
    }),
    call('supervisor', 'the container’s addresses and ports', 'write', [config, bytes, bytes.length]),
    pipe('supervisor', 'learn when the forwarder is ready', ready, written, O_CLOEXEC | O_NONBLOCK),
    startHelper({
      ...{ slots, name: 'the forwarder', path: self, stderr, stderrReader, openFiles, directory },
      argv: [FORWARDER, { text: [config] }, { text: [written] }, ...ports.slice(0, SHOWN).map(shown)],
      keep: [config, written],
      keepRange: { first: FORWARD_FIRST_FD, last },
      before: [
        call(
          'helper',
          'the supervisor’s binary, which is the forwarder’s too',
          'openat',
          [AT_FDCWD, executable, O_PATH | O_CLOEXEC, 0],
          { result: self },
        ),
        ...enterNetwork('helper', slots, initPid),
        ...(target.transparent ? routingSteps('helper', slots, target, ports) : []),
        ...emptyRoot(),
      ],
    }),
    close('supervisor', 'only the forwarder needs it', config),
    close('supervisor', 'only the forwarder writes there', written),
    call('supervisor', 'the ports are free when the forwarder is gone', 'close_range', [
      FORWARD_FIRST_FD,
      last,
      0,
    ]),
  ];
}

/** So many ports are in the forwarder's command line, for people who look at `ps`. */
const SHOWN = 8;
const shown = (mapping: PortMapping): string => `${portName(mapping)}->${mapping.containerPort}`;

/** Leaves the listening sockets at their descriptors. */
function socketSteps({ slots, ports }: AttachContext, { hasIpv6 }: ForwardOptions): Step[] {
  const socket = slots.new('socket');
  const bound = slots.new('bound');
  return ports.flatMap((mapping, index) =>
    listenAt(mapping, bindingOf(mapping, ports, hasIpv6), FORWARD_FIRST_FD + index, socket, bound),
  );
}

function listenAt(mapping: PortMapping, binding: Binding, fd: number, socket: Slot, bound: Slot): Step[] {
  const why = `publish ${portName(mapping)} as ${mapping.containerPort}`;
  const step = (reason: string, ...rest: Rest): Step => call('supervisor', reason, ...rest);
  const name = {
    fields: [{ width: 4, into: bound } as const, { bytes: new Uint8Array(24) }],
    say: 'address',
  };
  const length = { fields: [{ width: 4, value: 28 } as const], say: '28' };
  return [
    // In the first start of a container tsrun has the port already: it fails, and what tsrun has comes in its place.
    ...makeSocket('supervisor', mapping, binding, socket, ['EADDRINUSE']),
    step('the socket that tsrun has bound; none if this is a restart', 'dup3', [fd, socket, O_CLOEXEC], {
      tolerate: ['EBADF'],
    }),
    step(why, 'getsockname', [socket, name, length]),
    op('supervisor', `${why}: the port must be free`, {
      kind: 'expect',
      value: bound,
      equals: familyAndPort(binding.ip, mapping.hostPort),
      errno: 'EADDRINUSE',
    }),
    ...(mapping.protocol === 'tcp'
      ? [
          reuseAddress('supervisor', 'old connections in TIME_WAIT do not matter', socket, true),
          step(why, 'listen', [socket, BACKLOG]),
        ]
      : []),
    step('where the forwarder looks for it', 'dup3', [socket, fd, 0]),
    close('supervisor', 'it is in its place', socket),
  ];
}

type Rest = Parameters<typeof call> extends [unknown, unknown, ...infer R] ? R : never;
