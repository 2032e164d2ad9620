/** What is said on the hub's socket: native/hub/protocol.h in TypeScript, under the same names. */
import { type IpAddress, ipBytes, isIpv4 } from './ip-address.ts';

export const HUB_MAGIC = 0x31485354;
export const HUB_FD_SPEC = 3;
export const HUB_FD_LISTEN = 4;
export const HUB_FD_REPORT = 5;
export const HUB_FD_LOG = 6;
export const HUB_FD_NETNS = 60;
export const HUB_FD_ROUTE = 61;
export const HUB_FD_UDP = 62;
export const HUB_FD_TCP = 63;
export const HUB_FD_QUEUE = 64;
export const HUB_FD_OUTWARD = 65;
export const HUB_FD_DATAGRAMS = 66;
export const HUB_FD_RAW4 = 67;
export const HUB_FD_RAW6 = 68;
export const HUB_SLOT_UPLINK = 0;
export const HUB_UPLINK_DESCRIPTORS = 7;
export const HUB_HELLO = 1;
export const HUB_JOIN = 2;
export const HUB_LEAVE = 3;
export const HUB_HAS_IPV4 = 1;
export const HUB_HAS_IPV6 = 2;
export const HUB_NO_FORWARD = 4;
export const HUB_OF_PROCESS = 8;
export const HUB_NAMES_MAX = 448;
export const HUB_MESSAGE_MAX = 1024;

const SPEC_SIZE = 24;
/** sizeof(struct hub_endpoint) */
export const HUB_ENDPOINT_SIZE = 100;

/** What a container is on one network. */
export interface Endpoint {
  /** The container's id. */
  container: string;
  /** The network's number in this store. */
  network: number;
  ipv4: IpAddress | undefined;
  ipv6: IpAddress | undefined;
  /** The first is its proper name. */
  names: readonly string[];
  /** DNS servers instead of the host's; at most three. */
  servers: readonly IpAddress[];
  internal: boolean;
}

/** Both programs behind a header: what HUB_FD_SPEC holds. */
export function encodeHubSpec(network: Buffer, uplink: Buffer | undefined): Buffer {
  const header = Buffer.alloc(SPEC_SIZE);
  const uplinkAt = SPEC_SIZE + network.length;
  const fields = [HUB_MAGIC, SPEC_SIZE, network.length, uplink ? uplinkAt : 0, uplink?.length ?? 0, 0];
  fields.forEach((value, index) => {
    header.writeUInt32LE(value, 4 * index);
  });
  return Buffer.concat([header, network, ...(uplink ? [uplink] : [])]);
}

export function hello(): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(HUB_HELLO);
  return bytes;
}

/** 16 bytes; IPv4 as ::ffff:a.b.c.d */
const mapped = (address: IpAddress): Uint8Array =>
  isIpv4(address)
    ? Buffer.concat([Buffer.from('00000000000000000000ffff', 'hex'), ipBytes(address)])
    : ipBytes(address);

/** Names as the hub takes them: lower case, each once, as many as fit. */
function encodeNames(names: readonly string[]): Buffer {
  const good = [...new Set(names.map((name) => name.toLowerCase()))].filter(
    (name) => name.length <= 253 && /^[^.]{1,63}(\.[^.]{1,63})*$/.test(name),
  );
  const parts: Buffer[] = [];
  let size = 0;
  for (const name of good) {
    const bytes = Buffer.from(name, 'latin1');
    if (size + 1 + bytes.length > HUB_NAMES_MAX) break;
    parts.push(Buffer.from([bytes.length]), bytes);
    size += 1 + bytes.length;
  }
  return Buffer.concat(parts);
}

/** HUB_JOIN or HUB_LEAVE. @param ofProcess the endpoint lives as long as the process whose pidfd is sent along */
export function endpointMessage(
  request: typeof HUB_JOIN | typeof HUB_LEAVE,
  endpoint: Endpoint,
  ofProcess = false,
): Buffer {
  const { ipv4, ipv6, servers } = endpoint;
  const bytes = Buffer.alloc(HUB_ENDPOINT_SIZE);
  const names = encodeNames(endpoint.names);
  const flags =
    (ipv4 === undefined ? 0 : HUB_HAS_IPV4) |
    (ipv6 === undefined ? 0 : HUB_HAS_IPV6) |
    (endpoint.internal ? HUB_NO_FORWARD : 0) |
    (ofProcess ? HUB_OF_PROCESS : 0);
  bytes.writeUInt32LE(request, 0);
  bytes.writeUInt32LE(flags, 4);
  bytes.write(endpoint.container.slice(0, 32), 8, 'hex');
  bytes.writeUInt32LE(endpoint.network, 24);
  bytes.writeUInt8(Math.min(servers.length, 3), 28);
  bytes.writeUInt16LE(names.length, 30);
  if (ipv4 !== undefined) bytes.set(ipBytes(ipv4), 32);
  if (ipv6 !== undefined) bytes.set(ipBytes(ipv6), 36);
  servers.slice(0, 3).forEach((server, index) => {
    bytes.set(mapped(server), 52 + 16 * index);
  });
  return Buffer.concat([bytes, names]);
}
