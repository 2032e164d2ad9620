/** `--network slirp4netns:KEY=VALUE,…`: podman's keys, and the addresses that follow from them. */
import { isIPv4 } from 'node:net';
import { tsrunError } from '../errors.ts';
import { UPLINK_SUBNET } from './bridge-network.ts';
import { formatSubnet, type Subnet } from './ip-address.ts';

export interface SlirpOptions {
  allowHostLoopback: boolean;
  mtu: number;
  /** IPv4 network; undefined = 10.0.2.0/24 */
  cidr: string | undefined;
  enableIpv6: boolean;
  /** Address or interface */
  outboundAddress: string | undefined;
  outboundAddress6: string | undefined;
  /** Who publishes ports: tsrun's forwarder or slirp4netns itself. */
  portHandler: 'builtin' | 'slirp4netns';
}

/** slirp4netns refuses more than 65521; 65520 is what the virtual wire carries in whole 32-bit words. */
export const DEFAULT_SLIRP_OPTIONS: SlirpOptions = {
  allowHostLoopback: false,
  mtu: 65520,
  cidr: undefined,
  enableIpv6: false,
  outboundAddress: undefined,
  outboundAddress6: undefined,
  portHandler: 'builtin',
};

/** In a subnet of the host's choice, unless the user has chosen one. */
export const inSubnet = (options: SlirpOptions, subnet: Subnet): SlirpOptions =>
  options.cidr === undefined && formatSubnet(subnet) !== formatSubnet(UPLINK_SUBNET)
    ? { ...options, cidr: formatSubnet(subnet) }
    : options;

const KEYS = 'allow_host_loopback, mtu, cidr, enable_ipv6, outbound_addr, outbound_addr6, port_handler';

/** @param words the parts between commas. @throws ERR_TSRUN_USAGE */
export function parseSlirpOptions(words: readonly string[]): SlirpOptions {
  return Object.assign({}, DEFAULT_SLIRP_OPTIONS, ...words.map(parseOption)) as SlirpOptions;
}

function parseOption(word: string): Partial<SlirpOptions> {
  const at = word.indexOf('=');
  const [key, value] = at < 0 ? [word, 'true'] : [word.slice(0, at), word.slice(at + 1)];
  const refuse = (problem: string, hint: string) =>
    tsrunError('ERR_TSRUN_USAGE', { problem: `--network slirp4netns:${word}: ${problem}`, hint });
  const boolean = (): boolean => {
    if (value !== 'true' && value !== 'false') throw refuse('true or false is expected', `${key}=true`);
    return value === 'true';
  };
  switch (key) {
    case 'allow_host_loopback':
      return { allowHostLoopback: boolean() };
    case 'enable_ipv6':
      return { enableIpv6: boolean() };
    case 'mtu': {
      const mtu = /^\d{1,5}$/.test(value) ? Number(value) : 0;
      if (mtu < 68 || mtu > 65521) throw refuse('an MTU is between 68 and 65521', 'mtu=65520');
      return { mtu };
    }
    case 'cidr':
      if (!parseCidr(value)) throw refuse('a network of 8 to 24 bits is expected', 'cidr=10.0.3.0/24');
      return { cidr: value };
    case 'outbound_addr':
      return { outboundAddress: value };
    case 'outbound_addr6':
      return { outboundAddress6: value };
    case 'port_handler':
      // podman's name for a forwarder of its own kind is rootlesskit.
      if (value === 'builtin' || value === 'rootlesskit') return { portHandler: 'builtin' };
      if (value === 'slirp4netns') return { portHandler: value };
      throw refuse('builtin or slirp4netns is expected', 'port_handler=builtin');
    default:
      throw refuse('not one of its options', KEYS);
  }
}

/** The network address as a number, when `text` is one with room for slirp4netns's +100. */
function parseCidr(text: string): number | undefined {
  const [address = '', bits = ''] = text.split('/');
  if (!isIPv4(address) || !/^\d{1,2}$/.test(bits)) return undefined;
  const prefix = Number(bits);
  if (prefix < 8 || prefix > 24) return undefined;
  const number = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  return number % 2 ** (32 - prefix) === 0 ? number : undefined;
}

const dotted = (number: number): string => [24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join('.');

export interface SlirpAddresses {
  container: string;
  gateway: string;
  dns: string;
  /** Bits of the network. */
  prefix: number;
}

/** slirp4netns(1), "Default configuration": gateway +2, DNS +3; --configure gives the container +100. */
export function slirpAddresses(options: SlirpOptions): SlirpAddresses {
  const cidr = options.cidr ?? '10.0.2.0/24';
  const network = parseCidr(cidr) ?? 0x0a000200;
  return {
    container: dotted(network + 100),
    gateway: dotted(network + 2),
    dns: dotted(network + 3),
    prefix: Number(cidr.split('/')[1]),
  };
}
