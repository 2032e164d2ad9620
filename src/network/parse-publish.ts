/**
 * `-p [ip:][host]:container[/protocol]`, with ranges and IPv6 addresses in brackets, as docker and podman read it:
 *
 *     80                      a host port is chosen
 *     8080:80                 on all addresses
 *     127.0.0.1:8080:80       on one; `127.0.0.1::80` chooses the port there
 *     [::1]:8080:80           on an IPv6 address
 *     8000-8005:80-85/udp     ranges of the same length
 *     8000-8005:80            one of these, the first that is free
 */
import { isIP } from 'node:net';
import { tsrunError } from '../errors.ts';
import type { PortMapping } from './driver.ts';

const SHAPE =
  /^(?:(?:\[(?<v6>[^\]]*)\]|(?<v4>[^:[\]]*)):)??(?:(?<host>[\d-]*):)?(?<container>[\d-]+)(?:\/(?<protocol>\w+))?$/;
const EXAMPLE = '-p 8080:80, -p 127.0.0.1:8080:80/tcp or -p 8000-8005:80-85';

/** Ports of `80` or `80-85`. */
type Range = readonly [first: number, last: number];

const refuse = (text: string, problem: string, hint = EXAMPLE) =>
  tsrunError('ERR_TSRUN_USAGE', { problem: `-p ${text}: ${problem}`, hint });

function parseRange(all: string, text: string, what: string): Range {
  const [, first = '', last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? [];
  const range = [Number(first), Number(last)] as const;
  if (first === '') throw refuse(all, `"${text}" is no ${what} port`);
  if (range[0] < 1 || range[1] > 65535) throw refuse(all, `a ${what} port is between 1 and 65535`);
  if (range[0] > range[1]) throw refuse(all, `the range ${text} runs backwards`);
  return range;
}

function parseProtocol(all: string, text: string | undefined): 'tcp' | 'udp' {
  const protocol = (text ?? 'tcp').toLowerCase();
  if (protocol === 'tcp' || protocol === 'udp') return protocol;
  const problem = protocol === 'sctp' ? 'sctp cannot be published without root' : `"${text}" is no protocol`;
  throw refuse(all, problem, 'use /tcp or /udp');
}

/** @returns one mapping per port; hostPort 0 = choose one. @throws ERR_TSRUN_USAGE */
export function parsePublish(text: string): PortMapping[] {
  const groups = SHAPE.exec(text)?.groups;
  if (!groups) {
    const bare = /^([\da-f:]*::[\da-f:]*):([\d-]*:[\d-]+.*)$/i.exec(text);
    const hint = bare && isIP(bare[1] ?? '') === 6 ? `-p [${bare[1]}]:${bare[2]}` : undefined;
    throw refuse(text, 'not of the form [ADDRESS:][HOST PORT:]CONTAINER PORT[/tcp|udp]', hint);
  }
  const hostIp = parseAddress(text, groups.v6, groups.v4);
  const protocol = parseProtocol(text, groups.protocol);
  const container = parseRange(text, groups.container ?? '', 'container');
  // docker takes 0 for a port to be chosen, as the kernel does.
  const host = groups.host && groups.host !== '0' ? parseRange(text, groups.host, 'host') : undefined;
  const length = container[1] - container[0] + 1;
  if (host && length === 1 && host[1] > host[0]) {
    return [{ hostIp, hostPort: host[0], lastHostPort: host[1], containerPort: container[0], protocol }];
  }
  if (host && host[1] - host[0] + 1 !== length) {
    throw refuse(text, 'the two ranges are not of the same length');
  }
  return Array.from({ length }, (_, i) => ({
    hostIp,
    hostPort: host ? host[0] + i : 0,
    containerPort: container[0] + i,
    protocol,
  }));
}

function parseAddress(all: string, v6: string | undefined, v4: string | undefined): string {
  const address = v6 ?? v4 ?? '';
  if (address === '') return '';
  if (isIP(address) !== (v6 === undefined ? 4 : 6) || address.includes('%')) {
    const hint = address === 'localhost' ? `-p ${all.replace('localhost', '127.0.0.1')}` : undefined;
    throw refuse(all, `"${address}" is no IP address`, hint);
  }
  return address;
}

/** What is published twice in the same words is published once, as by podman; a port that is to be chosen is another one each time. */
export function withoutRepeats(ports: readonly PortMapping[]): PortMapping[] {
  const words = (port: PortMapping): string =>
    [port.hostIp, port.hostPort, port.containerPort, port.protocol].join(' ');
  const isRange = ({ hostPort, lastHostPort }: PortMapping): boolean =>
    hostPort === 0 || lastHostPort !== undefined;
  const seen = new Set<string>();
  return ports.filter((port) => isRange(port) || (!seen.has(words(port)) && seen.add(words(port))));
}

/**
 * `-P`: a mapping with a chosen host port for each port that the image exposes (`80/tcp`, `8000-8010`) and that no `-p` names.
 *
 * @param exposed keys of ExposedPorts (image-spec config.md); what cannot be published (sctp) is left out
 */
export function publishExposed(exposed: readonly string[], published: readonly PortMapping[]): PortMapping[] {
  const taken = new Set(published.map((port) => `${port.containerPort}/${port.protocol}`));
  return exposed
    .filter((text) => /^\d{1,5}(-\d{1,5})?(\/(tcp|udp))?$/i.test(text))
    .flatMap((text) => parsePublish(text))
    .filter((port) => !taken.has(`${port.containerPort}/${port.protocol}`));
}
