/** `network inspect`: docker's field names where podman has the same thing, and podman's for the rest. */
import type { BridgeNetwork, EndpointLease, NetworkSubnet } from '../network/bridge-network.ts';
import { formatRange, formatSubnet } from '../network/ip-address.ts';
import { type Row, withTemplateFields } from './format/list.ts';

export interface ConnectedContainer {
  id: string;
  name: string;
  lease: EndpointLease;
}

const subnets = ({ ipv4, ipv6 }: BridgeNetwork): NetworkSubnet[] =>
  [ipv4, ipv6].filter((subnet) => subnet !== undefined);

const withPrefix = (address: string | undefined, subnet: NetworkSubnet | undefined): string =>
  address === undefined || !subnet ? '' : `${address}/${subnet.prefix}`;

const routes = (network: BridgeNetwork): object[] =>
  (network.routes ?? []).map(({ destination, gateway, metric }) => ({
    Destination: formatSubnet(destination),
    Gateway: gateway,
    Metric: metric,
  }));

/** podman's names, in `network ls` and `network inspect`: `{{range .Subnets}}{{.Subnet}}{{end}}`. */
const podmanFields = (network: BridgeNetwork): Record<string, () => unknown> => ({
  ID: () => network.id,
  Created: () => network.createdAt,
  DNSEnabled: () => network.dns,
  IPAMOptions: () => ({ driver: 'host-local' }),
  IPv6Enabled: () => network.ipv6 !== undefined,
  NetworkDNSServers: () => network.dnsServers,
  NetworkInterface: () => interfaceOf(network),
  Options: () => network.options,
  Routes: () => routes(network),
  Subnets: () =>
    subnets(network).map((subnet) => ({ Subnet: formatSubnet(subnet), Gateway: subnet.gateway })),
});

/** `row` with what podman's templates know of a network and it has not. */
export const withPodmanFields = (row: Row, network: BridgeNetwork): Row =>
  withTemplateFields(
    row,
    Object.fromEntries(Object.entries(podmanFields(network)).filter(([name]) => !Object.hasOwn(row, name))),
  );

const interfaceOf = ({ number }: BridgeNetwork): string => `tsrun${number}`;

export const networkDocument = (network: BridgeNetwork, containers: readonly ConnectedContainer[]): Row =>
  withPodmanFields(ownDocument(network, containers), network);

const ownDocument = (
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
      ...(subnet.range && { IPRange: formatRange(subnet.range) }),
    })),
  },
  Internal: network.internal,
  DNSEnabled: network.dns,
  NetworkDNSServers: network.dnsServers,
  NetworkInterface: interfaceOf(network),
  MTU: network.mtu,
  Routes: routes(network),
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
