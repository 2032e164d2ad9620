/**
 * slirp4netns: user-mode networking by a whole TCP/IP stack (libslirp) behind a tap device in the container's network namespace
 * (slirp4netns(1)). Tried with 1.2.0 (Debian 12) and 1.2.1 (Debian 13).
 *
 *     supervisor                        slirp4netns
 *       | pipe2 ready, pipe2 lifeline     |
 *       | clone ------------------------> | PR_SET_PDEATHSIG, execve, join the namespace, tap0, address, route,
 *       | ppoll(ready.r)                  | listen on api.sock, pivot_root, seccomp
 *       | <------------------- "1" ------ |
 *       | connect, {"execute": "add_hostfwd", …}, shutdown ------> | one connection per published port
 *       | <--------------- {"return": …} or {"error": …} --------- |
 *       | unlink api.sock                 |
 *       | (holds lifeline.w)              | exits when the other end of its --exit-fd is closed
 *
 * The socket is addressed by a name in the working directory: a path in the runtime directory may be longer than the 107 bytes of
 * struct sockaddr_un. The supervisor goes back to / afterwards.
 */
import { call, close, op, pipe } from '../sys/calls.ts';
import { AF_UNIX, AT_FDCWD, O_CLOEXEC, O_NONBLOCK, SOCK_CLOEXEC, SOCK_STREAM } from '../sys/constants.ts';
import type { Memory, Slot, Slots, Step } from '../sys/step.ts';
import type { AttachContext, NetworkDriver, PortMapping } from './driver.ts';
import type { ForwardTarget } from './forward/config.ts';
import { readExactly, startHelper, type Word, waitForAny } from './helper-steps.ts';
import type { HostNetwork } from './host-network.ts';
import { type SlirpOptions, slirpAddresses } from './slirp4netns-options.ts';

const SOCKET = 'slirp.sock';
const SHUT_WR = 1;
const MSG_WAITALL = 0x100;

/**
 * The whole command line, `slirp4netns` first.
 * @param netns path of the network namespace; @param api name of the socket for requests; @param tap name of the interface
 */
export function slirpArguments(
  options: SlirpOptions,
  netns: Word,
  ready: Slot,
  lifeline: Slot,
  api?: string,
  tap = 'tap0',
): Word[] {
  return [
    'slirp4netns',
    '--configure',
    `--mtu=${options.mtu}`,
    ...(options.allowHostLoopback ? [] : ['--disable-host-loopback']),
    '--enable-sandbox',
    '--enable-seccomp',
    ...(options.enableIpv6 ? ['--enable-ipv6'] : []),
    ...(options.cidr === undefined ? [] : [`--cidr=${options.cidr}`]),
    ...(options.outboundAddress === undefined ? [] : [`--outbound-addr=${options.outboundAddress}`]),
    ...(options.outboundAddress6 === undefined ? [] : [`--outbound-addr6=${options.outboundAddress6}`]),
    { text: ['--ready-fd=', ready] },
    { text: ['--exit-fd=', lifeline] },
    ...(api === undefined ? [] : [`--api-socket=${api}`]),
    '--netns-type=path',
    netns,
    tap,
  ];
}

/** @param path of the executable */
export function slirpDriver(path: string, options: SlirpOptions, host: HostNetwork): NetworkDriver {
  const addresses = slirpAddresses(options);
  return {
    name: 'slirp4netns',
    namespace: { kind: 'new' },
    publishing: 'ipv4',
    keepsClientAddresses: true,
    attach: (context) => attach(context, path, options, host.openFiles),
    nameservers: seesResolvConf(host) ? [addresses.dns] : undefined,
    containerAddress: addresses.container,
    hostAddress: options.allowHostLoopback ? addresses.gateway : host.address,
    sysctls: {},
  };
}

/** How the forwarder reaches such a container. */
export function slirpTarget(options: SlirpOptions): Omit<ForwardTarget, 'transparent'> {
  const { container, gateway, prefix } = slirpAddresses(options);
  return { ipv4: { address: container, gateway, prefix } };
}

/** Its sandbox holds the host's /etc and /run only: on WSL, /etc/resolv.conf leads elsewhere and its forwarder would know nobody. */
const seesResolvConf = ({ resolvConfPath }: HostNetwork): boolean => /^\/(etc|run)\//.test(resolvConfPath);

function attach(context: AttachContext, path: string, options: SlirpOptions, openFiles: number): Step[] {
  const { slots, initPid, ports, stderr, stderrReader, directory } = context;
  const [ready, written, lifeline, held] = ['ready.r', 'ready.w', 'lifeline.r', 'lifeline.w'].map((name) =>
    slots.new(name),
  ) as [Slot, Slot, Slot, Slot];
  const withApi = ports.length > 0;
  const argv = slirpArguments(
    options,
    { text: ['/proc/', initPid, '/ns/net'] },
    written,
    lifeline,
    withApi ? SOCKET : undefined,
  );
  const keep = [written, lifeline];
  return [
    pipe('supervisor', 'learn when slirp4netns is ready', ready, written, O_CLOEXEC | O_NONBLOCK),
    pipe('supervisor', 'slirp4netns ends when the supervisor’s end is closed', lifeline, held, O_CLOEXEC),
    ...(withApi ? [removeSocket(directory, 'left by one that was killed')] : []),
    startHelper({
      ...{ slots, name: 'slirp4netns', path, argv, stderr, stderrReader, openFiles, keep, directory },
    }),
    close('supervisor', 'only slirp4netns writes there', written),
    close('supervisor', 'only slirp4netns watches it', lifeline),
    waitForAny('slirp4netns is ready, or has ended', [ready]),
    ...readExactly(slots, 'slirp4netns must be ready: it writes "1"', ready, 1),
    close('supervisor', 'it said what it had to say', ready),
    ...(withApi ? publish(slots, ports, slirpAddresses(options).container, directory) : []),
  ];
}

const removeSocket = (directory: string, why: string): Step =>
  call('supervisor', why, 'unlinkat', [AT_FDCWD, `${directory}/${SOCKET}`, 0], { tolerate: ['ENOENT'] });

/** struct sockaddr_un (unix(7)) */
function unixAddress(name: string): Memory {
  const path = new Uint8Array(108);
  path.set(Buffer.from(name));
  return { fields: [{ width: 2, value: AF_UNIX }, { bytes: path }], say: name };
}

function publish(slots: Slots, ports: readonly PortMapping[], guest: string, directory: string): Step[] {
  const socket = slots.new('api');
  const got = slots.new('got');
  return [
    call('supervisor', 'short socket names', 'chdir', [directory]),
    ...ports.flatMap((port) => publishOne(port, guest, socket, got)),
    call('supervisor', 'hold no directory', 'chdir', ['/']),
    removeSocket(directory, 'nobody else is to publish ports'),
  ];
}

/** The request that publishes `port`, as slirp4netns(1), "API SOCKET", has it. */
export function addHostForward(port: PortMapping, guest: string): string {
  const { protocol: proto, hostIp, hostPort: host_port, containerPort: guest_port } = port;
  const host_addr = hostIp === '' ? '0.0.0.0' : hostIp;
  return JSON.stringify({
    execute: 'add_hostfwd',
    arguments: { proto, host_addr, host_port, guest_addr: guest, guest_port },
  });
}

/** The beginning of a good answer; a bad one is `{"error": …}`. */
const GOOD = '{"return"';

function publishOne(port: PortMapping, guest: string, socket: Slot, got: Slot): Step[] {
  const request = Buffer.from(addHostForward(port, guest));
  const answer: Memory = { buffer: 16 };
  const name = `${port.hostIp === '' ? '' : `${port.hostIp} `}${port.hostPort}/${port.protocol}`;
  const why = `publish ${name} as ${port.containerPort}`;
  const step = (...rest: Rest): Step => call('supervisor', why, ...rest);
  return [
    step('socket', [AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0], { result: socket }),
    step('connect', [socket, unixAddress(SOCKET), 110]),
    step('write', [socket, request, request.length]),
    call('supervisor', 'slirp4netns reads up to here', 'shutdown', [socket, SHUT_WR]),
    step('recvfrom', [socket, answer, GOOD.length, MSG_WAITALL, 0, 0], { result: got, retry: true }),
    op('supervisor', `${why}: it must answer`, {
      kind: 'expect',
      value: got,
      equals: GOOD.length,
      errno: 'EPROTO',
    }),
    op('supervisor', `${why}: the port must be free`, {
      kind: 'compare',
      buffer: answer,
      equals: GOOD,
      errno: 'EADDRINUSE',
    }),
    close('supervisor', 'one connection, one request', socket),
  ];
}

type Rest = Parameters<typeof call> extends [unknown, unknown, ...infer R] ? R : never;
