/**
 * From what the user asked for, and what the machine has, to a driver.
 *
 * `private` means slirp4netns where it is usable: it starts in a third of pasta's time and takes a fifth of its memory, works on hosts
 * without a default route, and is as fast in one direction as in the other (measured: docs/network.md). pasta is taken for what
 * slirp4netns cannot do: publishing on IPv6 addresses, and hosts that have an IPv6 route only.
 */
import { tsrunError } from '../errors.ts';
import type { NetworkDriver, PortMapping } from './driver.ts';
import type { HostNetwork } from './host-network.ts';
import type { NetworkMode } from './parse-network.ts';
import { pastaDriver } from './pasta.ts';
import { hostDriver, noneDriver, pathDriver } from './plain-drivers.ts';
import type { HelperFinding, HelperName } from './probe-helper.ts';
import { slirpDriver } from './slirp4netns.ts';
import { DEFAULT_SLIRP_OPTIONS } from './slirp4netns-options.ts';

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
  ports: readonly PortMapping[];
}

/** Modes that are settled without looking at other containers and networks. */
export type LocalMode = Exclude<NetworkMode, { kind: 'container' | 'named' }>;

const needsIpv6 = (ports: readonly PortMapping[]): boolean => ports.some((port) => port.hostIp.includes(':'));

/** @throws ERR_TSRUN_NETWORK_HELPER, ERR_TSRUN_USAGE for ports that the mode cannot publish */
export function chooseDriver(mode: LocalMode, context: ChoiceContext): Choice {
  const asked = (driver: NetworkDriver): Choice => ({ driver, reason: 'asked for', warning: undefined });
  switch (mode.kind) {
    case 'none':
      return withoutPorts(asked(noneDriver), context.ports);
    case 'host':
      return withoutPorts(asked(hostDriver), context.ports);
    case 'ns':
      return withoutPorts(asked(pathDriver(`ns:${mode.path}`, mode.path)), context.ports);
    case 'pasta':
      return asked(pastaDriver(required('pasta', context), mode.options, context.host));
    case 'slirp4netns':
      if (needsIpv6(context.ports)) throw ipv4Only();
      return asked(slirpDriver(required('slirp4netns', context), mode.options, context.host));
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

function required(name: HelperName, { probe }: ChoiceContext): string {
  const finding = probe(name);
  if (!finding.usable) throw tsrunError('ERR_TSRUN_NETWORK_HELPER', { helper: name, ...finding });
  return finding.path;
}

const ipv4Only = () =>
  tsrunError('ERR_TSRUN_USAGE', {
    problem: 'slirp4netns publishes ports on IPv4 addresses only',
    hint: '--network pasta',
  });

function choosePrivate(context: ChoiceContext): Choice {
  const { host, probe, ports } = context;
  const onlyIpv6 = host.hasIpv6Route && !host.hasIpv4Route;
  const wanted: readonly [HelperName, string] = needsIpv6(ports)
    ? ['pasta', 'a port is published on an IPv6 address']
    : onlyIpv6
      ? ['pasta', 'this machine has an IPv6 route only']
      : ['slirp4netns', 'it starts faster and takes less memory than pasta'];
  const [name, reason] = wanted;
  const first = probe(name);
  if (first.usable) return { driver: make(name, first.path, host), reason, warning: undefined };
  const other = name === 'pasta' ? 'slirp4netns' : 'pasta';
  const second = needsIpv6(ports) ? first : probe(other);
  if (!second.usable) throw tsrunError('ERR_TSRUN_NETWORK_HELPER', { helper: name, ...first });
  const why = `${name}: ${first.reason}`;
  return {
    driver: make(other, second.path, host),
    reason: `${why}; ${other} is there`,
    warning: `using ${other} for the container's network (${why}; ${first.hint})`,
  };
}

const make = (name: HelperName, path: string, host: HostNetwork): NetworkDriver =>
  name === 'pasta' ? pastaDriver(path, [], host) : slirpDriver(path, DEFAULT_SLIRP_OPTIONS, host);
