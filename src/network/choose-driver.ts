/**
 * From what the user asked for, and what the machine has, to a driver.
 *
 * `private` means slirp4netns: it starts in a third of pasta's time and takes a tenth of its memory. Ports are published by tsrun's own
 * forwarder, with both. `pasta` by name publishes them itself, `slirp4netns` when it is told to (port_handler). All figures are in
 * docs/network.md.
 */
import { tsrunError } from '../errors.ts';
import { uplinkSubnet } from './bridge-network.ts';
import { hostHasIpv6 } from './claim-ports.ts';
import type { NetworkDriver, PortMapping } from './driver.ts';
import type { ForwardTarget } from './forward/config.ts';
import { forwarded } from './forward/forwarded.ts';
import type { TransparentFinding } from './forward/probe-transparent.ts';
import type { HostNetwork } from './host-network.ts';
import type { NetworkMode } from './parse-network.ts';
import { pastaDriver, pastaTarget } from './pasta.ts';
import { hostDriver, noneDriver, pathDriver } from './plain-drivers.ts';
import type { HelperFinding, HelperName } from './probe-helper.ts';
import { slirpDriver, slirpTarget } from './slirp4netns.ts';
import { DEFAULT_SLIRP_OPTIONS, inSubnet, type SlirpOptions } from './slirp4netns-options.ts';

export interface Choice {
  driver: NetworkDriver;
  /** Why this one, for `info` and `explain`. */
  reason: string;
  /** One line for the user, when it is not the one that a whole machine would have. */
  warning: string | undefined;
}

export interface ChoiceContext {
  host: HostNetwork;
  probe: (name: HelperName) => HelperFinding;
  /** Whether the forwarder can keep clients' addresses; asked only when ports are published. */
  probeTransparent: () => TransparentFinding;
  ports: readonly PortMapping[];
}

/** Modes that are settled without looking at other containers and networks. */
export type LocalMode =
  | Exclude<NetworkMode, { kind: 'container' | 'bridge' | 'ns' }>
  /** `as`: what --network had, where it was no path. */
  | { kind: 'ns'; path: string; as?: string };

/** @throws ERR_TSRUN_NETWORK_HELPER, ERR_TSRUN_USAGE for ports that the mode cannot publish */
export function chooseDriver(mode: LocalMode, given: ChoiceContext): Choice {
  let found: TransparentFinding | undefined;
  const probeTransparent = (): TransparentFinding => {
    found ??= given.probeTransparent();
    return found;
  };
  const choice = choose(mode, { ...given, probeTransparent });
  if (found?.reason === undefined || choice.warning !== undefined) return choice;
  return {
    ...choice,
    warning: `clients of published ports are seen with the container’s own address: ${found.reason}`,
  };
}

function choose(mode: LocalMode, context: ChoiceContext): Choice {
  const asked = (driver: NetworkDriver): Choice => ({ driver, reason: 'asked for', warning: undefined });
  switch (mode.kind) {
    case 'none':
      return withoutPorts(asked(noneDriver), context.ports);
    case 'host':
      return withoutPorts(asked(hostDriver), context.ports);
    case 'ns':
      return withoutPorts(asked(pathDriver(mode.as ?? `ns:${mode.path}`, mode.path)), context.ports);
    case 'pasta': {
      const { path, flaw } = required('pasta', context);
      return { ...asked(pastaDriver(path, mode.options, context.host)), warning: flaw };
    }
    case 'slirp4netns':
      return chooseSlirp(mode.options, context);
    case 'private':
      return choosePrivate(context);
  }
}

/** A mode without a helper publishes nothing: with `host` every port is the host's already; with `none` there is no way in. */
function withoutPorts(choice: Choice, ports: readonly PortMapping[]): Choice {
  if (ports.length === 0) return choice;
  const { name } = choice.driver;
  if (name === 'host') {
    return {
      ...choice,
      warning: '-p has no effect with --network host: the container listens on the host itself',
    };
  }
  throw tsrunError('ERR_TSRUN_USAGE', {
    problem: `-p cannot be used with --network ${name}`,
    hint: 'leave out --network, or -p',
  });
}

function required(name: HelperName, { probe }: ChoiceContext): HelperFinding & { usable: true } {
  const finding = probe(name);
  if (!finding.usable) throw tsrunError('ERR_TSRUN_NETWORK_HELPER', { helper: name, ...finding });
  return finding;
}

/** The driver with its ports published by the forwarder. A container without ports needs none of it. */
function withForwarder(
  driver: NetworkDriver,
  target: Omit<ForwardTarget, 'transparent'>,
  { host, ports, probeTransparent }: Omit<ChoiceContext, 'probe'>,
): NetworkDriver {
  const { transparent } = ports.length > 0 ? probeTransparent() : { transparent: true };
  return forwarded(driver, {
    target: { ...target, transparent },
    hasIpv6: hostHasIpv6(),
    openFiles: host.openFiles,
  });
}

function chooseSlirp(given: SlirpOptions, context: ChoiceContext): Choice {
  const { host, ports } = context;
  const options = inSubnet(given, uplinkSubnet(host.subnets));
  const own = options.portHandler === 'slirp4netns';
  if (own && ports.some((port) => port.hostIp.includes(':'))) {
    throw tsrunError('ERR_TSRUN_USAGE', {
      problem: 'slirp4netns publishes ports on IPv4 addresses only',
      hint: '--network slirp4netns:port_handler=builtin',
    });
  }
  const driver = slirpDriver(required('slirp4netns', context).path, options, host);
  return {
    driver: own ? driver : withForwarder(driver, slirpTarget(options), context),
    reason: 'asked for',
    warning: own ? portsWarning(ports) : undefined,
  };
}

/** What slirp4netns does badly about published ports; libslirp takes UDP answers to the host's loopback for attempts to reach it. */
function portsWarning(ports: readonly PortMapping[]): string | undefined {
  if (ports.length === 0) return undefined;
  const udp = ports.some((port) => port.protocol === 'udp');
  const silent = udp ? ', and does not answer UDP clients on 127.0.0.1' : '';
  return `slirp4netns publishes the ports: it is slow with several connections at once${silent}`;
}

function choosePrivate(context: ChoiceContext): Choice {
  const { host, probe } = context;
  const ipv6Only = host.hasIpv6Route && !host.hasIpv4Route;
  const [first, second] = ipv6Only
    ? (['pasta', 'slirp4netns'] as const)
    : (['slirp4netns', 'pasta'] as const);
  const found = probe(first);
  if (found.usable) {
    const reason = ipv6Only
      ? 'this machine has an IPv6 route only'
      : 'it starts faster and takes less memory than pasta';
    return { driver: make(found, context), reason, warning: undefined };
  }
  const other = probe(second);
  if (!other.usable) throw tsrunError('ERR_TSRUN_NETWORK_HELPER', { helper: first, ...found });
  const why = `${first}: ${found.reason}`;
  const flaw = other.name === 'pasta' ? other.flaw : undefined;
  return {
    driver: make(other, context),
    reason: `${why}; ${second} is there`,
    warning: flaw && `${flaw} (${why}; ${found.hint})`,
  };
}

function make({ name, path }: HelperFinding & { usable: true }, context: ChoiceContext): NetworkDriver {
  const { host } = context;
  if (name === 'pasta') return withForwarder(pastaDriver(path, [], host), pastaTarget(host), context);
  const options = inSubnet(DEFAULT_SLIRP_OPTIONS, uplinkSubnet(host.subnets));
  return withForwarder(slirpDriver(path, options, host), slirpTarget(options), context);
}
