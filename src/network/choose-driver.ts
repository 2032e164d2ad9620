/**
 * From what the user asked for, and what the machine has, to a driver.
 *
 * `private` means slirp4netns for a container without published ports: it starts in a third of pasta's time and takes a tenth of its
 * memory. With published ports it means pasta: slirp4netns's listening sockets have a backlog of one, so that already five connections
 * at once wait for seconds. All figures are in docs/network.md.
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
    case 'pasta': {
      const { path, flaw } = required('pasta', context);
      return { ...asked(pastaDriver(path, mode.options, context.host)), warning: flaw };
    }
    case 'slirp4netns': {
      if (needsIpv6(context.ports)) throw ipv4Only();
      const { path } = required('slirp4netns', context);
      return {
        ...asked(slirpDriver(path, mode.options, context.host)),
        warning: portsWarning(context.ports),
      };
    }
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

const ipv4Only = () =>
  tsrunError('ERR_TSRUN_USAGE', {
    problem: 'slirp4netns publishes ports on IPv4 addresses only',
    hint: '--network pasta',
  });

/** What slirp4netns does badly about published ports; libslirp takes UDP answers to the host's loopback for attempts to reach it. */
function portsWarning(ports: readonly PortMapping[]): string | undefined {
  if (ports.length === 0) return undefined;
  const udp = ports.some((port) => port.protocol === 'udp');
  const silent = udp ? ', and does not answer UDP clients on 127.0.0.1' : '';
  return `slirp4netns publishes the ports: it is slow with several connections at once${silent}`;
}

/** Why pasta would be wanted, if it is. Without any route a pasta of 2023 does not start. */
function pastaReason({ host, ports }: ChoiceContext): string | undefined {
  if (needsIpv6(ports)) return 'a port is published on an IPv6 address';
  if (host.hasIpv6Route && !host.hasIpv4Route) return 'this machine has an IPv6 route only';
  if (ports.length > 0 && host.hasIpv4Route) return 'ports are published';
  return undefined;
}

function choosePrivate(context: ChoiceContext): Choice {
  const { host, probe, ports } = context;
  const wanted = pastaReason(context);
  const [first, second] =
    wanted === undefined ? (['slirp4netns', 'pasta'] as const) : (['pasta', 'slirp4netns'] as const);
  const found = probe(first);
  if (found.usable) {
    const reason = wanted ?? 'it starts faster and takes less memory than pasta';
    // What the distribution ships is what most have: `info` and `explain` tell, not every start.
    return make(found, context, found.flaw ? `${reason}; but ${found.flaw}` : reason, undefined);
  }
  const other = needsIpv6(ports) ? found : probe(second);
  if (!other.usable) throw tsrunError('ERR_TSRUN_NETWORK_HELPER', { helper: first, ...found });
  const why = `${first}: ${found.reason}`;
  const flaw = other.name === 'pasta' ? other.flaw : portsWarning(ports);
  return make(
    other,
    { host, ports },
    `${why}; ${second} is there`,
    flaw && `${flaw} (${why}; ${found.hint})`,
  );
}

function make(
  { name, path }: HelperFinding & { usable: true },
  { host, ports }: Pick<ChoiceContext, 'host' | 'ports'>,
  reason: string,
  warning: string | undefined,
): Choice {
  if (name === 'pasta') return { driver: pastaDriver(path, [], host), reason, warning };
  return {
    driver: slirpDriver(path, DEFAULT_SLIRP_OPTIONS, host),
    reason,
    warning: warning ?? portsWarning(ports),
  };
}
