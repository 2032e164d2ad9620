/** struct sockaddr_in and sockaddr_in6 (ip(7), ipv6(7)) as memory of a program. */
import { AF_INET, AF_INET6 } from '../../sys/constants.ts';
import type { Memory } from '../../sys/step.ts';
import { type IpAddress, ipBytes, isIpv4 } from '../ip-address.ts';

const networkOrder = (port: number): number => ((port & 255) << 8) | (port >>> 8);

/** @param ip a valid one, without brackets */
export function socketAddress(ip: IpAddress, port: number): { memory: Memory; size: number } {
  const ipv4 = isIpv4(ip);
  const bytes = new Uint8Array(ipv4 ? 16 : 28);
  bytes.set([ipv4 ? AF_INET : AF_INET6, 0, port >>> 8, port & 255]);
  bytes.set(ipBytes(ip), ipv4 ? 4 : 8);
  return {
    memory: { fields: [{ bytes }], say: ipv4 ? `${ip}:${port}` : `[${ip}]:${port}` },
    size: bytes.length,
  };
}

/** The first four bytes of a socket's address as one number, as a program loads it: family and port. */
export const familyAndPort = (ip: IpAddress, port: number): number =>
  (networkOrder(port) << 16) | (isIpv4(ip) ? AF_INET : AF_INET6);

/** The port in such a number. */
export const portOf = (familyAndPort: number): number => networkOrder((familyAndPort >>> 16) & 0xffff);
