/**
 * The addresses of a container as it has them at this moment: read from /proc and from its own sysfs, so that they are true whichever
 * driver gave them.
 */
import { readFileSync, readlinkSync } from 'node:fs';

/** Docker's names; '' and 0 for what there is not. */
export interface Endpoint {
  IPAddress: string;
  IPPrefixLen: number;
  Gateway: string;
  MacAddress: string;
  GlobalIPv6Address: string;
  GlobalIPv6PrefixLen: number;
  IPv6Gateway: string;
}

const NOWHERE: Endpoint = {
  IPAddress: '',
  IPPrefixLen: 0,
  Gateway: '',
  MacAddress: '',
  GlobalIPv6Address: '',
  GlobalIPv6PrefixLen: 0,
  IPv6Gateway: '',
};

interface Route {
  device: string;
  destination: number;
  mask: number;
  gateway: number;
}

/** Of /proc/net/route: numbers are in the byte order of the machine, which is little-endian on all that tsrun runs on. */
const addressNumber = (hex = ''): number => Buffer.from(hex, 'hex').readUInt32LE();

const dotted = (address: number): string =>
  [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff).join('.');

const numberOf = (address: string): number =>
  address.split('.').reduce((number, part) => ((number << 8) | Number(part)) >>> 0, 0);

const bitsOf = (mask: number): number => Math.clz32(~mask >>> 0);

/** @param text of /proc/PID/net/route */
function parseRoutes(text: string): Route[] {
  return text
    .split('\n')
    .slice(1)
    .map((line) => line.split('\t'))
    .filter((fields) => fields.length >= 8)
    .map(([device = '', destination, gateway, , , , , mask]) => ({
      device,
      destination: addressNumber(destination),
      gateway: addressNumber(gateway),
      mask: addressNumber(mask),
    }));
}

/** The container's own addresses. @param text of /proc/PID/net/fib_trie */
function ownAddresses(text: string): string[] {
  const found = [...text.matchAll(/\|-- (\d+\.\d+\.\d+\.\d+)\n\s+\/32 host LOCAL/g)].map(
    ([, address = '']) => address,
  );
  return [...new Set(found)].filter((address) => !address.startsWith('127.'));
}

/** `fd00::1` of 32 hex digits, as RFC 5952 writes it. */
const ipv6 = (digits: string): string =>
  new URL(`http://[${digits.replace(/(.{4})(?!$)/g, '$1:')}]/`).hostname.slice(1, -1);

/**
 * @param texts of /proc/PID/net/route, fib_trie, if_inet6 and ipv6_route
 * @param macOf the hardware address of an interface
 */
export function endpointOf(
  texts: { route: string; trie: string; inet6: string; route6: string },
  macOf: (device: string) => string,
): Endpoint {
  const routes = parseRoutes(texts.route);
  const [address = ''] = ownAddresses(texts.trie);
  const subnet = routes.find(
    ({ destination, mask }) => mask !== 0 && (numberOf(address) & mask) >>> 0 === destination,
  );
  const gateway = routes.find(
    ({ destination, mask, gateway }) => destination === 0 && mask === 0 && gateway !== 0,
  );
  // Address, index, bits, scope (00: global), flags, device.
  const global = texts.inet6
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .find(([, , , scope, , device]) => scope === '00' && device !== 'lo');
  const gateway6 = texts.route6
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .find(([to = '', bits, , , next = '']) => /^0+$/.test(to) && bits === '00' && /[^0]/.test(next))?.[4];
  const device = subnet?.device ?? gateway?.device ?? global?.[5];
  return {
    IPAddress: address,
    IPPrefixLen: subnet ? bitsOf(subnet.mask) : address === '' ? 0 : 32,
    Gateway: gateway ? dotted(gateway.gateway) : '',
    MacAddress: device === undefined ? '' : macOf(device),
    GlobalIPv6Address: global?.[0] === undefined ? '' : ipv6(global[0]),
    GlobalIPv6PrefixLen: global?.[2] === undefined ? 0 : Number.parseInt(global[2], 16),
    IPv6Gateway: gateway6 === undefined ? '' : ipv6(gateway6),
  };
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'latin1').trim();
  } catch {
    return ''; // it has ended, or its kernel has no IPv6, or its image no /sys
  }
}

/** Of a container that does not run, or shares this machine's network, nothing is its own: all is empty. */
export function inspectEndpoint(init: number | undefined): Endpoint {
  if (init === undefined) return NOWHERE;
  const net = `/proc/${init}/net`;
  try {
    if (readlinkSync(`/proc/${init}/ns/net`) === readlinkSync('/proc/self/ns/net')) return NOWHERE;
  } catch {
    return NOWHERE; // it has ended
  }
  return endpointOf(
    {
      route: textOf(`${net}/route`),
      trie: textOf(`${net}/fib_trie`),
      inet6: textOf(`${net}/if_inet6`),
      route6: textOf(`${net}/ipv6_route`),
    },
    (device) => textOf(`/proc/${init}/root/sys/class/net/${device}/address`),
  );
}
