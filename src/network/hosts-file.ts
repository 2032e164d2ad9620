/** The container's /etc/hosts (hosts(5)). */
import { isIP } from 'node:net';
import { tsrunError } from '../errors.ts';

/** One line: an address and its names. */
export interface HostsEntry {
  address: string;
  names: string[];
}

/** Names by which a container reaches its host: podman's and docker's. */
export const HOST_NAMES = ['host.containers.internal', 'host.docker.internal'] as const;

const ALWAYS = `127.0.0.1 localhost
::1 localhost ip6-localhost ip6-loopback
fe00::0 ip6-localnet
ff00::0 ip6-mcastprefix
ff02::1 ip6-allnodes
ff02::2 ip6-allrouters
`;

/**
 * `--add-host name:address`, `name=address`, `a;b:address`, address `host-gateway` or an IP address, in brackets or not.
 *
 * @param hostAddress where this container reaches the host, for `host-gateway`
 * @throws ERR_TSRUN_USAGE
 */
export function parseAddHost(text: string, hostAddress: string | undefined): HostsEntry {
  const [, names = '', value = ''] = /^([^:=]+)[:=](.+)$/.exec(text) ?? [];
  const fail = (problem: string, hint: string) =>
    tsrunError('ERR_TSRUN_USAGE', { problem: `--add-host ${text}: ${problem}`, hint });
  if (names === '' || /\s/.test(names)) throw fail('not of the form NAME:ADDRESS', '--add-host db:192.0.2.7');
  const list = names.split(';').filter((name) => name !== '');
  if (value === 'host-gateway') {
    if (hostAddress === undefined) {
      throw fail('with this network the container has no way to the host', `--add-host ${names}:ADDRESS`);
    }
    return { address: hostAddress, names: list };
  }
  const address = value.replace(/^\[(.*)\]$/, '$1');
  if (isIP(address) === 0) throw fail(`"${value}" is no IP address`, `--add-host ${names}:192.0.2.7`);
  return { address, names: list };
}

export interface HostsRequest {
  /** The container's host name; '' = none. */
  hostname: string;
  containerAddress: string | undefined;
  hostAddress: string | undefined;
  /** --add-host, as written */
  addHosts: readonly string[];
  /** Text to begin with instead of the usual lines: the host's own file, with its network. */
  base?: string | undefined;
}

/** @returns the text; names given by --add-host come before ours, because the first match counts. @throws ERR_TSRUN_USAGE */
export function hostsFile(request: HostsRequest): string {
  const { hostname, containerAddress, hostAddress, base = ALWAYS } = request;
  const entries = request.addHosts.map((text) => parseAddHost(text, hostAddress));
  const given = new Set(entries.flatMap((entry) => entry.names));
  const hostNames = HOST_NAMES.filter((name) => !given.has(name));
  if (hostAddress !== undefined && hostNames.length > 0)
    entries.push({ address: hostAddress, names: hostNames });
  if (containerAddress !== undefined && hostname !== '') {
    entries.push({ address: containerAddress, names: [hostname] });
  }
  const text = base === '' || base.endsWith('\n') ? base : `${base}\n`;
  return text + entries.map(({ address, names }) => `${address} ${names.join(' ')}\n`).join('');
}
