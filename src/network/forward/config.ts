/** What the forwarder is given: struct forward_config of native/forward/config.h. */
import type { PortMapping } from '../driver.ts';
import { type IpAddress, ipBytes } from '../ip-address.ts';

/** What its process is called. */
export const FORWARDER = 'tsrun-forward';

export const FORWARD_MAGIC = 0x31465354;
/** The first of the listening sockets' descriptors. */
export const FORWARD_FIRST_FD = 512;
export const FORWARD_TCP = 6;
export const FORWARD_UDP = 17;

/** SO_MARK of connections that bear a client's address, and the routing tables that bring back the answers; `tsru`, `ts`. */
export const MARK = 0x74737275;
export const TABLES = { tcp: 0x7473, udp: 0x7474 } as const;

/** The container in one address family. */
export interface ForwardFamily {
  /** Where its services are reached. */
  address: IpAddress;
  /** Stands for clients whose own address cannot be kept: the host's loopback, and addresses of the container's own network. */
  gateway: IpAddress;
  /** Bits of the container's network. */
  prefix: number;
}

/** How a container is reached from its own network namespace. One of the two must be there. */
export interface ForwardTarget {
  ipv4?: ForwardFamily | undefined;
  ipv6?: ForwardFamily | undefined;
  /** Whether clients' own addresses can be kept (../probe-transparent.ts). */
  transparent: boolean;
}

const FAMILY_SIZE = 36;
const HEADER_SIZE = 16 + 2 * FAMILY_SIZE + 4;
/** The bytes that tell where the container is. */
export const CONFIG_FAMILIES = { start: 16, end: 16 + 2 * FAMILY_SIZE } as const;

function writeFamily(bytes: Buffer, at: number, family: ForwardFamily | undefined): void {
  if (!family) return;
  bytes.set(ipBytes(family.address), at);
  bytes.set(ipBytes(family.gateway), at + 16);
  bytes.writeUInt8(family.prefix, at + 32);
  bytes.writeUInt8(1, at + 33);
}

/** The bytes of the memory file. */
export function encodeForwardConfig(target: ForwardTarget, ports: readonly PortMapping[]): Buffer {
  const bytes = Buffer.alloc(HEADER_SIZE + 4 * ports.length);
  const header = [FORWARD_MAGIC, bytes.length, target.transparent ? MARK : 0, TABLES.udp];
  header.forEach((value, index) => {
    bytes.writeUInt32LE(value, 4 * index);
  });
  writeFamily(bytes, 16, target.ipv4);
  writeFamily(bytes, 16 + FAMILY_SIZE, target.ipv6);
  bytes.writeUInt32LE(ports.length, HEADER_SIZE - 4);
  ports.forEach(({ containerPort, protocol }, index) => {
    bytes.writeUInt16LE(containerPort, HEADER_SIZE + 4 * index);
    bytes.writeUInt8(protocol === 'tcp' ? FORWARD_TCP : FORWARD_UDP, HEADER_SIZE + 4 * index + 2);
  });
  return bytes;
}
