/** Which bridge networks there are. The default one is made when it is first needed, of a subnet that is free then. */
import { tsrunError } from '../errors.ts';
import {
  type BridgeNetwork,
  DEFAULT_MTU,
  DEFAULT_NETWORK,
  freeSubnet,
  ulaSubnet,
  withGateway,
} from '../network/bridge-network.ts';
import { readHostNetwork } from '../network/host-network.ts';
import { overlap, type Subnet } from '../network/ip-address.ts';
import { NETWORK_MODES } from '../network/parse-network.ts';
import { leasedAddresses, sweepLeases } from '../store/leases.ts';
import { createNetwork, listNetworks, readNetwork, replaceNetwork } from '../store/networks.ts';
import { randomHex } from '../sys/random.ts';
import type { Engine } from './open-engine.ts';

/** The network of that name. @throws ERR_TSRUN_NETWORK_UNKNOWN */
export function findNetwork(engine: Engine, name: string): BridgeNetwork {
  const network = readNetwork(engine.paths, name) ?? byId(engine, name);
  if (network) return network;
  if (name === DEFAULT_NETWORK) return makeDefaultNetwork(engine);
  if (NETWORK_MODES.includes(name)) {
    throw tsrunError('ERR_TSRUN_USAGE', {
      problem: `"${name}" is a mode of --network, not a network`,
      hint: `tsrun run --network ${name} …; tsrun network ls shows the networks`,
    });
  }
  throw tsrunError('ERR_TSRUN_NETWORK_UNKNOWN', { name });
}

/** The only network whose id begins so. */
function byId(engine: Engine, beginning: string): BridgeNetwork | undefined {
  if (!/^[0-9a-f]+$/.test(beginning)) return undefined;
  const [only, other] = listNetworks(engine.paths).filter(({ id }) => id.startsWith(beginning));
  return other ? undefined : only;
}

/** All of them, the default one first, though it may not have been needed yet. */
export function allNetworks(engine: Engine): BridgeNetwork[] {
  const networks = listNetworks(engine.paths).filter(({ name }) => name !== DEFAULT_NETWORK);
  return [findNetwork(engine, DEFAULT_NETWORK), ...networks];
}

/** Subnets that a new network must not have: other networks', and where the host has routes to. */
export const takenSubnets = (engine: Engine): Subnet[] => [
  ...listNetworks(engine.paths)
    .flatMap(({ ipv4, ipv6 }) => [ipv4, ipv6])
    .filter((subnet) => subnet !== undefined),
  ...readHostNetwork().subnets,
];

function defaultNetwork(taken: readonly Subnet[]): BridgeNetwork {
  const ipv4 = freeSubnet(taken);
  return {
    name: DEFAULT_NETWORK,
    id: randomHex(32),
    createdAt: new Date().toISOString(),
    number: 0,
    ipv4: withGateway(ipv4),
    ipv6: readHostNetwork().hasIpv6 ? withGateway(ulaSubnet(ipv4)) : undefined,
    internal: false,
    dns: true,
    dnsServers: [],
    mtu: DEFAULT_MTU,
    labels: {},
    options: {},
  };
}

function makeDefaultNetwork(engine: Engine): BridgeNetwork {
  const made = defaultNetwork(takenSubnets(engine));
  if (createNetwork(engine.paths, made)) return made;
  return readNetwork(engine.paths, DEFAULT_NETWORK) ?? replaced(engine, made); // else it is damaged
}

function replaced(engine: Engine, network: BridgeNetwork): BridgeNetwork {
  replaceNetwork(engine.paths, network);
  return network;
}

/** Gives the default network another subnet if the host has got a route there (a VPN) and no container has an address in it. */
export function moveDefaultNetwork(engine: Engine): void {
  const network = readNetwork(engine.paths, DEFAULT_NETWORK);
  if (network) sweepLeases(engine.paths, network.number);
  if (!network || leasedAddresses(engine.paths, network.number).size > 0) return;
  const { subnets } = readHostNetwork();
  if (!network.ipv4 || !subnets.some((subnet) => network.ipv4 && overlap(subnet, network.ipv4))) return;
  const others = listNetworks(engine.paths).flatMap(({ name, ipv4 }) =>
    name === DEFAULT_NETWORK || !ipv4 ? [] : [ipv4],
  );
  const ipv4 = freeSubnet([...others, ...subnets]);
  replaceNetwork(engine.paths, {
    ...network,
    ipv4: withGateway(ipv4),
    ipv6: network.ipv6 && withGateway(ulaSubnet(ipv4)),
  });
}
