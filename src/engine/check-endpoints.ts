/**
 * What a container asks of its bridge networks, looked at before it is made: or a wrong --ip would leave one behind that cannot be started,
 * and has the name that the next try wants.
 */
import { tsrunError } from '../errors.ts';
import {
  type BridgeNetwork,
  type EndpointRequest,
  isLeasable,
  type NetworkSubnet,
} from '../network/bridge-network.ts';
import { contains, formatSubnet, type IpAddress } from '../network/ip-address.ts';
import { leaseHolder } from '../store/leases.ts';
import { findNetwork } from './networks.ts';
import type { Engine } from './open-engine.ts';

export const refuseAddress = (network: BridgeNetwork, address: IpAddress | undefined, problem: string) =>
  tsrunError('ERR_TSRUN_NETWORK_ADDRESS', { address, network: network.name, problem });

/** @throws ERR_TSRUN_NETWORK_ADDRESS for an address that no container of the network can have */
export function requireLeasable(network: BridgeNetwork, subnet: NetworkSubnet, wanted: IpAddress): void {
  if (!contains(subnet, wanted)) throw refuseAddress(network, wanted, `it is not in ${formatSubnet(subnet)}`);
  if (!isLeasable(subnet, wanted))
    throw refuseAddress(network, wanted, 'it is the bridge’s own, or no host’s');
}

/** @throws ERR_TSRUN_NETWORK_ADDRESS for an address of a version that the network does not have */
export function requireVersions(network: BridgeNetwork, { ipv4, ipv6 }: EndpointRequest): void {
  if (ipv4 !== undefined && !network.ipv4) throw refuseAddress(network, ipv4, 'it has no IPv4 subnet');
  if (ipv6 !== undefined && !network.ipv6) throw refuseAddress(network, ipv6, 'it has no IPv6 subnet');
}

export const takenBy = (network: BridgeNetwork, wanted: IpAddress, holder: string | undefined) =>
  refuseAddress(network, wanted, `${holder?.slice(0, 12) ?? 'another container'} has it`);

/**
 * @param ours whose addresses are free by the time that the container is started; undefined = those of all containers, as it is not started now
 * @throws ERR_TSRUN_NETWORK_UNKNOWN, ERR_TSRUN_NETWORK_ADDRESS
 */
export function checkEndpoints(
  engine: Engine,
  requests: readonly EndpointRequest[],
  ours: { replaced: string | undefined } | undefined,
): void {
  for (const request of requests) {
    const network = findNetwork(engine, request.name);
    requireVersions(network, request);
    for (const [wanted, subnet] of [
      [request.ipv4, network.ipv4],
      [request.ipv6, network.ipv6],
    ] as const) {
      if (wanted === undefined || !subnet) continue;
      requireLeasable(network, subnet, wanted);
      const holder = ours && leaseHolder(engine.paths, network.number, wanted);
      if (holder !== undefined && holder !== ours?.replaced) throw takenBy(network, wanted, holder);
    }
  }
}
