/**
 * pasta: user-mode networking by translating between a tap device in the container's network namespace and ordinary sockets of the
 * host's (passt.top, pasta(1)). Tried with 2023-03 (Debian 12) and 2025-05 (Debian 13).
 *
 * Before its start it drops all capabilities but three, so it may not open /proc/<init>/ns/net of a process that has more (ptrace(2),
 * "access mode checking"); and newer versions close all descriptors at once, so the namespace cannot be given as one either. It is
 * therefore bind-mounted at a name in the container's runtime directory, in the supervisor's mount namespace, until pasta has it open.
 * For the same reason readiness is a FIFO: the pid file that pasta writes when all is set up (`--pid`).
 *
 *     supervisor                        pasta (pid 1 of a pid namespace of its own)
 *       | bind-mount the namespace        |
 *       | mknod ready (FIFO), open it     |
 *       | clone ------------------------> | PR_SET_PDEATHSIG, execve, drop capabilities,
 *       | ppoll(ready, pidfd)             | join the namespace, addresses, routes, listen,
 *       | <---------------- "1\n" ------- | pivot_root to nothing, seccomp
 *       | unmount, unlink                 |
 *
 * `-f` keeps PR_SET_PDEATHSIG in force; the pid namespace is what pasta would have made when going to the background by itself.
 *
 * The container has an address of its own (10.0.2.100, as with slirp4netns) and not a copy of the host's, pasta's default, or it could
 * not reach the host at all. net.ipv4.tcp_wmem is limited, see docs/network.md: with the kernel's default of 4 MiB a sender in the
 * container overruns pasta, which then waits for retransmissions: 0.03–0.4 Gbit/s instead of 5–15.
 */
import { call, close, op } from '../sys/calls.ts';
import {
  AT_FDCWD,
  CLONE_NEWPID,
  MNT_DETACH,
  MS_BIND,
  O_CLOEXEC,
  O_CREAT,
  O_NONBLOCK,
  O_RDONLY,
} from '../sys/constants.ts';
import type { Step } from '../sys/step.ts';
import type { AttachContext, NetworkDriver, PortMapping } from './driver.ts';
import type { ForwardTarget } from './forward/config.ts';
import { startHelper, waitForAny } from './helper-steps.ts';
import type { HostNetwork } from './host-network.ts';

const S_IFIFO = 0o010000;
const UMOUNT_NOFOLLOW = 8;

/** fd74:7372:756e::/64 is a unique local prefix (RFC 4193) that spells `tsrun`. */
const IPV6 = { address: 'fd74:7372:756e::100', gateway: 'fd74:7372:756e::2', dns: 'fd74:7372:756e::3' };
const IPV4 = { address: '10.0.2.100', netmask: '24', gateway: '10.0.2.2', dns: '10.0.2.3' };

/** What tsrun passes unless the user's options have one of the same names. */
const DEFAULTS: readonly { names: readonly string[]; words: readonly string[] }[] = [
  { names: ['-I', '--ns-ifname'], words: ['--ns-ifname', 'eth0'] },
  { names: ['-m', '--mtu'], words: ['--mtu', '65520'] },
  { names: ['-a', '--address'], words: ['--address', IPV4.address, '--address', IPV6.address] },
  { names: ['-n', '--netmask', '-a', '--address'], words: ['--netmask', IPV4.netmask] },
  { names: ['-g', '--gateway'], words: ['--gateway', IPV4.gateway, '--gateway', IPV6.gateway] },
  { names: ['--dns-forward'], words: ['--dns-forward', IPV4.dns, '--dns-forward', IPV6.dns] },
  { names: ['--map-gw', '--no-map-gw'], words: ['--no-map-gw'] },
  { names: ['-T', '--tcp-ns'], words: ['--tcp-ns', 'none'] },
  { names: ['-U', '--udp-ns'], words: ['--udp-ns', 'none'] },
];

/** tsrun's own; the driver would not work with others. */
export const PASTA_RESERVED = [
  ...['-f', '--foreground', '-P', '--pid', '--netns', '--userns', '--netns-only', '--no-netns-quit'],
  ...['--runas', '-l', '--log-file', '-F', '--fd', '-h', '--help', '--version', '--config-net'],
];

/** `-a,10.1.2.3` of `pasta:-a,10.1.2.3`; `=` and a separate word are the same. `--map-gw` is podman's name for no `--no-map-gw`. */
const optionName = (word: string): string =>
  word.startsWith('--') ? (word.split('=', 1)[0] ?? word) : word.slice(0, 2);

const has = (options: readonly string[], names: readonly string[]): boolean =>
  options.some((word) => word.startsWith('-') && names.includes(optionName(word)));

/** Each value that the option NAME is given. */
const valuesOf = (options: readonly string[], name: string): string[] =>
  options.flatMap((word, index) => {
    if (word === name) return options[index + 1] ?? [];
    return word.startsWith(`${name}=`) ? word.slice(name.length + 1) : [];
  });

/**
 * `127.0.0.1/8080:80`, what `-t` and `-u` take. Without an address pasta would listen on `::` too and pass IPv6 connections on as such: to
 * a service that listens on IPv4 only, `curl localhost` (which tries ::1 first) would get a reset instead of a refusal and not go on to
 * 127.0.0.1. And it would go on when one of the two families is taken.
 */
const portSpec = ({ hostIp, hostPort, containerPort }: PortMapping): string =>
  `${hostIp === '' ? '0.0.0.0' : hostIp}/${hostPort}:${containerPort}`;

function portWords(ports: readonly PortMapping[], options: readonly string[]): string[] {
  const kinds = [
    ['tcp', ['-t', '--tcp-ports'], '--tcp-ports'],
    ['udp', ['-u', '--udp-ports'], '--udp-ports'],
  ] as const;
  return kinds.flatMap(([protocol, names, option]) => {
    const specs = ports.filter((port) => port.protocol === protocol).map(portSpec);
    if (specs.length > 0) return specs.flatMap((spec) => [option, spec]);
    return has(options, names) ? [] : [option, 'none'];
  });
}

/** The whole command line, `pasta` first. `netns` and `ready` are names in the working directory. */
export function pastaArguments(ports: readonly PortMapping[], options: readonly string[]): string[] {
  return [
    'pasta',
    ...['--foreground', '--quiet', '--config-net', '--netns', './netns', '--no-netns-quit', '--pid', 'ready'],
    ...DEFAULTS.flatMap(({ names, words }) => (has(options, names) ? [] : words)),
    ...portWords(ports, options),
    ...options.filter((word) => word !== '--map-gw'),
  ];
}

/** @param path of the executable; @param options the user's, after `pasta:` */
export function pastaDriver(path: string, options: readonly string[], host: HostNetwork): NetworkDriver {
  const asked = valuesOf(options, '--dns-forward');
  const ownAddress = !has(options, ['-a', '--address']);
  const forwarders =
    asked.length > 0
      ? asked
      : host.nameservers.map((address) => (address.includes(':') ? IPV6.dns : IPV4.dns));
  return {
    name: 'pasta',
    namespace: { kind: 'new' },
    publishing: 'ipv4+ipv6',
    keepsClientAddresses: true,
    attach: (context) => attach(context, path, options, host.openFiles),
    nameservers:
      ownAddress || asked.length > 0
        ? [...new Set(forwarders.length > 0 ? forwarders : [IPV4.dns])]
        : undefined,
    containerAddress: has(options, ['-a', '--address'])
      ? undefined
      : host.hasIpv4Route
        ? IPV4.address
        : host.hasIpv6Route
          ? IPV6.address
          : undefined,
    hostAddress:
      has(options, ['--map-gw']) && !has(options, ['-g', '--gateway']) ? IPV4.gateway : host.address,
    sysctls: { 'net.ipv4.tcp_wmem': '4096 16384 262144' },
  };
}

/** How the forwarder reaches a container that has the addresses above. */
export const pastaTarget = (host: HostNetwork): Omit<ForwardTarget, 'transparent'> => ({
  ipv4: host.hasIpv4Route ? { address: IPV4.address, gateway: IPV4.gateway, prefix: 24 } : undefined,
  ipv6: host.hasIpv6Route ? { address: IPV6.address, gateway: IPV6.gateway, prefix: 64 } : undefined,
});

function attach(context: AttachContext, path: string, options: readonly string[], openFiles: number): Step[] {
  const { slots, initPid, ports, stderr, stderrReader, directory } = context;
  const place = `${directory}/netns`;
  const fifo = `${directory}/ready`;
  const [file, ready, pidfd, got] = ['netns', 'ready', 'pasta', 'got'].map((name) => slots.new(name)) as Four;
  const step = (why: string, ...rest: Rest): Step => call('supervisor', why, ...rest);
  const unmount = 'pasta has it open, if it ever will';
  return [
    step('left by one that was killed', 'umount2', [place, MNT_DETACH | UMOUNT_NOFOLLOW], {
      tolerate: ['ENOENT', 'EINVAL'],
    }),
    step('left by one that was killed', 'unlinkat', [AT_FDCWD, fifo, 0], { tolerate: ['ENOENT'] }),
    step('a name for the network namespace', 'openat', [AT_FDCWD, place, O_CREAT | O_CLOEXEC, 0o600], {
      result: file,
    }),
    close('supervisor', 'only its name is needed', file),
    step('pasta may not look into /proc of the container', 'mount', [
      { text: ['/proc/', initPid, '/ns/net'] },
      place,
      0,
      MS_BIND,
      0,
    ]),
    step('where pasta says that it is ready', 'mknodat', [AT_FDCWD, fifo, S_IFIFO | 0o600, 0]),
    step('listen there', 'openat', [AT_FDCWD, fifo, O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0], { result: ready }),
    startHelper({
      ...{ slots, name: 'pasta', path, argv: pastaArguments(ports, options), stderr, keep: [], directory },
      ...{ flags: CLONE_NEWPID, pidfd, openFiles, stderrReader },
    }),
    waitForAny('pasta is ready, or has ended', [ready, pidfd]),
    step('pasta writes its pid, 1, when all is set up', 'read', [ready, { buffer: 8 }, 8], {
      result: got,
      tolerate: ['EAGAIN'],
    }),
    step(unmount, 'umount2', [place, MNT_DETACH | UMOUNT_NOFOLLOW]),
    step(unmount, 'unlinkat', [AT_FDCWD, place, 0]),
    step('it said what it had to say', 'unlinkat', [AT_FDCWD, fifo, 0]),
    close('supervisor', 'it said what it had to say', ready),
    close('supervisor', 'it ends with the container', pidfd),
    op('supervisor', 'pasta must be ready', { kind: 'expect', value: got, equals: 2, errno: 'ENETDOWN' }),
  ];
}

type Slot4 = ReturnType<AttachContext['slots']['new']>;
type Four = [Slot4, Slot4, Slot4, Slot4];
type Rest = Parameters<typeof call> extends [unknown, unknown, ...infer R] ? R : never;
