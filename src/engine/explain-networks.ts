/** Bridge networks in `tsrun explain`: the same plan as a start's, with an address that the container might get, and nothing done. */
import type { PlannedProgram } from '../explain/plan.ts';
import {
  type EndpointLease,
  freeAddresses,
  interfaceNames,
  macForAddress,
  type NetworkSubnet,
} from '../network/bridge-network.ts';
import { hostOf, type IpAddress, ipNumber } from '../network/ip-address.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import { leasedAddresses } from '../store/leases.ts';
import { hubDirectory } from '../store/paths.ts';
import { endpointDriver, endpointNames } from './connect-networks.ts';
import type { ContainerNetwork } from './container-network.ts';
import { findHub } from './join-hub.ts';
import { planHub } from './launch-hub.ts';
import { findNetwork } from './networks.ts';
import type { Engine } from './open-engine.ts';
import { uplinkOptions } from './start-hub.ts';

export interface ExplainedNetwork {
  network: ContainerNetwork;
  /** What it would get of its bridge networks. */
  leases: EndpointLease[];
  /** Those of a hub, if none runs. */
  programs: PlannedProgram[];
}

export function explainNetworks(
  engine: Engine,
  record: ContainerRecord,
  network: ContainerNetwork,
): ExplainedNetwork {
  const { bridge, host } = network;
  if (!bridge) return { network, leases: [], programs: [] };
  const interfaces = interfaceNames(bridge.networks);
  const leases = bridge.networks.map((request, index) => {
    const found = findNetwork(engine, request.name);
    const free = (subnet: NetworkSubnet | undefined): IpAddress | undefined => {
      const taken = leasedAddresses(engine.paths, found.number);
      if (!subnet) return undefined;
      const [first] = freeAddresses(subnet, taken);
      return first;
    };
    const ipv4 = request.ipv4 ?? free(found.ipv4);
    const same =
      found.ipv4 && found.ipv6 && ipv4 && hostOf(found.ipv6, ipNumber(ipv4) - ipNumber(found.ipv4.base));
    const ipv6 = request.ipv6 ?? same ?? free(found.ipv6);
    const mac = request.mac ?? macForAddress(ipv4 ?? ipv6 ?? '0.0.0.0');
    const names = endpointNames(record, request.aliases);
    return { network: found, ipv4, ipv6, mac, interfaceName: interfaces[index] ?? '', names };
  });
  using running = findHub(engine);
  return {
    network: { ...network, driver: endpointDriver(record, leases, bridge, host) },
    leases,
    programs: running ? [] : hubPrograms(engine, network, bridge.helper),
  };
}

function hubPrograms(
  engine: Engine,
  { host }: ContainerNetwork,
  helper: string | undefined,
): PlannedProgram[] {
  const directory = hubDirectory(engine.paths);
  const uplink = uplinkOptions(engine, { host, helper }, directory);
  const plan = planHub({ rootless: engine.rootless(), directory: 0, ipv6: host.hasIpv6, uplink });
  return [
    { title: 'tsrun → hub of the bridge networks', program: plan },
    { title: 'hub: its network namespace', program: plan.network.program },
    ...(plan.uplink ? [{ title: 'hub: the uplink', program: plan.uplink.program }] : []),
  ];
}
