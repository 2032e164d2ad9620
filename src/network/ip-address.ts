/** IP addresses and subnets as texts and numbers. An address is kept in its shortest form: equal addresses are equal texts. */
import { isIP } from 'node:net';

/** `10.90.0.2` or `fd74::2`, without brackets, scope or prefix, in the form that {@link formatIp} writes. */
export type IpAddress = string;

export interface Subnet {
  /** The first address. */
  base: IpAddress;
  /** Bits of the prefix. */
  prefix: number;
}

export const isIpv4 = (address: IpAddress): boolean => !address.includes(':');
const width = (address: IpAddress): number => (isIpv4(address) ? 32 : 128);

/** The address as a number. @param address a valid one */
export function ipNumber(address: IpAddress): bigint {
  if (isIpv4(address)) return address.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n);
  const [head = '', tail] = withoutDots(address).split('::');
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const [first, last] = [groups(head), tail === undefined ? [] : groups(tail)];
  const zeros = Array.from({ length: 8 - first.length - last.length }, () => '0');
  return [...first, ...zeros, ...last].reduce((sum, group) => sum * 65536n + BigInt(`0x${group}`), 0n);
}

/** `::ffff:192.0.2.1` → `::ffff:c000:201` */
const withoutDots = (address: string): string =>
  address.replace(/\d+\.\d+\.\d+\.\d+$/, (dotted) => {
    const value = Number(ipNumber(dotted));
    return `${(value >>> 16).toString(16)}:${(value & 0xffff).toString(16)}`;
  });

/** The shortest form (RFC 5952). */
export function formatIp(value: bigint, ipv4: boolean): IpAddress {
  if (ipv4) return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join('.');
  const groups = Array.from({ length: 8 }, (_, i) => (value >> BigInt(16 * (7 - i))) & 0xffffn);
  const text = groups.map((group) => group.toString(16)).join(':');
  const runs = [...text.matchAll(/(?:^|:)0(?::0)+(?=:|$)/g)].sort((a, b) => b[0].length - a[0].length);
  const [longest] = runs;
  if (!longest) return text;
  const before = text.slice(0, longest.index);
  const after = text.slice(longest.index + longest[0].length).replace(/^:/, '');
  return `${before}::${after}`;
}

/** In network order: 4 or 16 bytes. */
export function ipBytes(address: IpAddress): Uint8Array {
  const hex = ipNumber(address)
    .toString(16)
    .padStart(width(address) / 4, '0');
  return Uint8Array.from(Buffer.from(hex, 'hex'));
}

/** The address that `text` is, or undefined. */
export const parseIp = (text: string): IpAddress | undefined =>
  isIP(text) === 0 || text.includes('%') ? undefined : formatIp(ipNumber(text), isIP(text) === 4);

/** `10.1.2.0/24`; bits after the prefix are cut off. Undefined when it is none. */
export function parseSubnet(text: string): Subnet | undefined {
  const [, address = '', bits = ''] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? [];
  const ip = parseIp(address);
  const prefix = Number(bits);
  if (ip === undefined || prefix > width(ip)) return undefined;
  return { base: formatIp(first(ipNumber(ip), width(ip) - prefix), isIpv4(ip)), prefix };
}

const first = (value: bigint, hostBits: number): bigint => (value >> BigInt(hostBits)) << BigInt(hostBits);

export const formatSubnet = ({ base, prefix }: Subnet): string => `${base}/${prefix}`;

/** The address `offset` places after the first of the subnet. */
export const hostOf = ({ base }: Subnet, offset: bigint): IpAddress =>
  formatIp(ipNumber(base) + offset, isIpv4(base));

/** How many addresses it has. */
export const subnetSize = ({ base, prefix }: Subnet): bigint => 1n << BigInt(width(base) - prefix);

export function contains(subnet: Subnet, address: IpAddress): boolean {
  if (isIpv4(subnet.base) !== isIpv4(address)) return false;
  const offset = ipNumber(address) - ipNumber(subnet.base);
  return offset >= 0n && offset < subnetSize(subnet);
}

/** Addresses in a row that need not be a subnet: `10.1.2.20-10.1.2.99`. */
export interface AddressRun {
  first: IpAddress;
  last: IpAddress;
}

/** A subnet, or two addresses of one version with a dash between, the lower one first. Undefined when it is neither. */
export function parseRange(text: string): Subnet | AddressRun | undefined {
  const [first, last, ...more] = text.split('-').map(parseIp);
  if (first === undefined || last === undefined || more.length > 0) return parseSubnet(text);
  return isIpv4(first) === isIpv4(last) && ipNumber(first) <= ipNumber(last) ? { first, last } : undefined;
}

export const runOf = (range: Subnet | AddressRun): AddressRun =>
  'first' in range ? range : { first: range.base, last: hostOf(range, subnetSize(range) - 1n) };

export const formatRange = (range: Subnet | AddressRun): string =>
  'first' in range ? `${range.first}-${range.last}` : formatSubnet(range);

export const overlap = (a: Subnet, b: Subnet): boolean => contains(a, b.base) || contains(b, a.base);
