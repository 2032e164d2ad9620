/** `network inspect`: docker's field names where podman has the same thing, and podman's for the rest. */
import type { BridgeNetwork, EndpointLease, NetworkSubnet } from '../network/bridge-network.ts';
import { formatSubnet } from '../network/ip-address.ts';

export interface ConnectedContainer {
  id: string;
  name: string;
  lease: EndpointLease;
}

const subnets = ({ ipv4, ipv6 }: BridgeNetwork): NetworkSubnet[] =>
  [ipv4, ipv6].filter((subnet) => subnet !== undefined);

const withPrefix = (address: string | undefined, subnet: NetworkSubnet | undefined): string =>
  address === undefined || !subnet ? '' : `${address}/${subnet.prefix}`;

export const networkDocument = (
  network: BridgeNetwork,
  containers: readonly ConnectedContainer[],
): Record<string, unknown> => ({
  Name: network.name,
  Id: network.id,
  Created: network.createdAt,
  Scope: 'local',
  Driver: 'bridge',
  EnableIPv6: network.ipv6 !== undefined,
  IPAM: {
    Driver: 'host-local',
    Config: subnets(network).map((subnet) => ({
      Subnet: formatSubnet(subnet),
      Gateway: subnet.gateway,
      ...(subnet.range && { IPRange: formatSubnet(subnet.range) }),
    })),
  },
  Internal: network.internal,
  DNSEnabled: network.dns,
  NetworkDNSServers: network.dnsServers,
  NetworkInterface: `tsrun${network.number}`,
  MTU: network.mtu,
  Containers: Object.fromEntries(
    containers.map(({ id, name, lease }) => [
      id,
      {
        Name: name,
        MacAddress: lease.mac,
        IPv4Address: withPrefix(lease.ipv4, network.ipv4),
        IPv6Address: withPrefix(lease.ipv6, network.ipv6),
      },
    ]),
  ),
  Options: network.options,
  Labels: network.labels,
});
