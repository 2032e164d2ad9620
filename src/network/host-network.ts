/** What the host's network is like, read once per command: default routes, an address, nameservers. Never throws: a missing file is an empty one. */
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';
import { interfaceAddress } from './interface-address.ts';
import { formatIp, type Subnet } from './ip-address.ts';
import { parseResolvConf } from './resolv-conf.ts';

export interface HostNetwork {
  hasIpv4Route: boolean;
  hasIpv6Route: boolean;
  /** Has the kernel IPv6 at all? */
  hasIpv6: boolean;
  /** Where the host has IPv4 routes to, other than the default. */
  subnets: Subnet[];
  /** The same of IPv6; without link-local and multicast ones. */
  ipv6Subnets: Subnet[];
  /** An address of the host that is not its loopback, by which a container with a network of its own reaches it. */
  address: string | undefined;
  /** The text of /etc/hosts, for containers that share the host's network. */
  hosts: string;
  /** The text of /etc/resolv.conf. */
  resolvConf: string;
  nameservers: string[];
  /** How many descriptors a process of this user may have open: the hard limit. slirp4netns needs one per connection of the last minute. */
  openFiles: number;
  /** Where /etc/resolv.conf leads. */
  resolvConfPath: string;
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'EACCES' || code === 'ELOOP') return ''; // no IPv6, no resolver: both are ordinary
    throw error;
  }
}

const RESOLV_CONF = '/etc/resolv.conf';
const RTF_REJECT = 0x200;

/** Interfaces of default routes in the text of /proc/net/route (proc_net(5)): destination and mask are 0. */
export const ipv4DefaultInterfaces = (text: string): string[] =>
  text
    .split('\n')
    .slice(1)
    .map((line) => line.split('\t'))
    .filter((field) => field[1] === '00000000' && field[7] === '00000000')
    .filter((field) => (Number.parseInt(field[3] ?? '0', 16) & RTF_REJECT) === 0)
    .map((field) => field[0] ?? '');

/** A number of /proc/net/route: hexadecimal, in the byte order of the machine, which is little-endian. */
const swapped = (hex: string): bigint => BigInt(`0x${hex.match(/../g)?.reverse().join('') || '0'}`);

/** Destinations of all routes but the default ones in the text of /proc/net/route. */
export const ipv4Subnets = (text: string): Subnet[] =>
  text
    .split('\n')
    .slice(1)
    .map((line) => line.split('\t'))
    .filter((field) => field.length > 7 && field[7] !== '00000000')
    .map(([, destination = '', , , , , , mask = '']) => ({
      base: formatIp(swapped(destination), true),
      prefix: swapped(mask).toString(2).replaceAll('0', '').length,
    }));

/** Interfaces of default routes in the text of /proc/net/ipv6_route, the unreachable one of `lo` left out. */
export const ipv6DefaultInterfaces = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((field) => field.length === 10 && /^0{32}$/.test(field[0] ?? '') && field[1] === '00')
    .filter((field) => (Number.parseInt(field[8] ?? '0', 16) & RTF_REJECT) === 0 && field[9] !== 'lo')
    .map((field) => field[9] ?? '');

/** Destinations of the routes in the text of /proc/net/ipv6_route that are neither default ones nor those that each interface has. */
export const ipv6Subnets = (text: string): Subnet[] =>
  text
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((field) => field.length === 10 && field[1] !== '00' && field[9] !== 'lo')
    .map(([destination = '', prefix = '']) => ({
      base: formatIp(BigInt(`0x${destination}`), false),
      prefix: Number.parseInt(prefix, 16),
    }))
    .filter(({ base }) => !/^f(e[89ab]|f)/.test(base));

/** The first of the preferred interfaces, else of any, that has an IPv4 address other than loopback; then the same for IPv6. */
export function pickAddress(
  interfaces: NodeJS.Dict<NetworkInterfaceInfo[]>,
  preferred: readonly string[],
): string | undefined {
  const ordered = [...preferred, ...Object.keys(interfaces)].flatMap((name) => interfaces[name] ?? []);
  const usable = ordered.filter((info) => !info.internal && !info.address.startsWith('fe80:'));
  return (usable.find(isUsableIpv4) ?? usable[0])?.address;
}

const isUsableIpv4 = ({ internal, family }: NetworkInterfaceInfo): boolean => !internal && family === 'IPv4';

/** The hard limit of open files in the text of /proc/self/limits (proc(5)). */
export const hardLimit = (text: string): number =>
  Number(/^Max open files +\d+ +(\d+)/m.exec(text)?.[1] ?? 1024);

/** Computed when it is first asked for. */
function lazy<T>(compute: () => T): () => T {
  let found: { value: T } | undefined;
  return () => {
    found ??= { value: compute() };
    return found.value;
  };
}

/** Each fact is read when it is first asked for: `--network none` asks for few. */
export function readHostNetwork(): HostNetwork {
  const routes = lazy(() => read('/proc/net/route'));
  const ipv4 = lazy(() => ipv4DefaultInterfaces(routes()));
  const ipv6 = lazy(() => ipv6DefaultInterfaces(read('/proc/net/ipv6_route')));
  const resolvConf = lazy(() => read(RESOLV_CONF));
  const address = lazy(() => {
    for (const name of ipv4()) {
      const found = interfaceAddress(name);
      if (found !== undefined && !found.startsWith('127.')) return found;
    }
    // IPv6 routes are looked at only where they matter: to list them takes the kernel a millisecond.
    return pickAddress(networkInterfaces(), [...ipv4(), ...ipv6()]);
  });
  const openFiles = lazy(() => hardLimit(read('/proc/self/limits')));
  return {
    get hasIpv4Route() {
      return ipv4().length > 0;
    },
    get hasIpv6Route() {
      return ipv6().length > 0;
    },
    get hasIpv6() {
      return existsSync('/proc/net/if_inet6');
    },
    get subnets() {
      return ipv4Subnets(routes());
    },
    get ipv6Subnets() {
      return ipv6Subnets(read('/proc/net/ipv6_route'));
    },
    get address() {
      return address();
    },
    get hosts() {
      return read('/etc/hosts');
    },
    get resolvConf() {
      return resolvConf();
    },
    get nameservers() {
      return parseResolvConf(resolvConf()).nameservers;
    },
    get openFiles() {
      return openFiles();
    },
    get resolvConfPath() {
      return resolvConf() === '' ? RESOLV_CONF : realpathSync(RESOLV_CONF);
    },
  };
}
