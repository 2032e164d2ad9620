/**
 * From what the user asked for, and what the machine has, to a driver.
 *
 * `private` means slirp4netns where it is usable: it starts in a third of pasta's time, takes a fraction of its memory, works on hosts
 * without a default route, and is as fast in one direction as in the other (measured: docs/network.md). pasta is taken for what
 * slirp4netns cannot do: IPv6, and UDP ports for clients on the host's loopback; but not a pasta of before August 2024, which breaks
 * half-closed connections, unless there is no other way.
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
      return { ...asked(slirpDriver(path, mode.options, context.host)), warning: udpWarning(context.ports) };
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

/** libslirp takes the answer to a client on the host's loopback for an attempt to reach that loopback, which is closed. */
function udpWarning(ports: readonly PortMapping[]): string | undefined {
  const udp = ports.find((port) => port.protocol === 'udp');
  if (!udp) return undefined;
  return `UDP port ${udp.hostPort || udp.containerPort} does not answer clients on 127.0.0.1, only others: slirp4netns cannot; a newer pasta can`;
}

/** Why pasta would be needed, if it is. */
function pastaReason({ host, ports }: ChoiceContext): string | undefined {
  if (needsIpv6(ports)) return 'a port is published on an IPv6 address';
  if (host.hasIpv6Route && !host.hasIpv4Route) return 'this machine has an IPv6 route only';
  if (ports.some((port) => port.protocol === 'udp')) return 'a UDP port is published';
  return undefined;
}

function choosePrivate(context: ChoiceContext): Choice {
  const { host, probe, ports } = context;
  const slirp = (path: string, reason: string): Choice => ({
    driver: slirpDriver(path, DEFAULT_SLIRP_OPTIONS, host),
    reason,
    warning: udpWarning(ports),
  });
  const viaPasta = (path: string, reason: string, warning: string | undefined): Choice => ({
    driver: pastaDriver(path, [], host),
    reason,
    warning,
  });
  const need = pastaReason(context);
  const pasta = need === undefined ? undefined : probe('pasta');
  if (need !== undefined && pasta?.usable && pasta.flaw === undefined)
    return viaPasta(pasta.path, need, undefined);
  if (needsIpv6(ports)) {
    const { path, flaw } = required('pasta', context);
    return viaPasta(path, need ?? '', flaw);
  }
  const slirp4netns = probe('slirp4netns');
  if (slirp4netns.usable) return slirp(slirp4netns.path, 'it starts faster and takes less memory than pasta');
  const last = pasta ?? probe('pasta');
  const why = `slirp4netns: ${slirp4netns.reason}`;
  if (!last.usable) throw tsrunError('ERR_TSRUN_NETWORK_HELPER', { helper: 'slirp4netns', ...slirp4netns });
  return viaPasta(
    last.path,
    `${why}; pasta is there`,
    last.flaw && `${last.flaw} (${why}; ${slirp4netns.hint})`,
  );
}
