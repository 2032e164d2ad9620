/** Use cases: `tsrun network create`, `rm`, `prune`: what there is, not what a container has of it. */

import { tsrunError } from '../errors.ts';
import { type BridgeNetwork, bridgeLink, DEFAULT_NETWORK } from '../network/bridge-network.ts';
import { contains, formatSubnet } from '../network/ip-address.ts';
import { exchange } from '../network/netlink.ts';
import { NETWORK_MODES, networkMode } from '../network/parse-network.ts';
import { removeLink, removeUnreachable } from '../network/route-messages.ts';
import { visitBridges } from '../network/visit-namespaces.ts';
import { runInside } from '../rootless/enter.ts';
import { forgetLeases } from '../store/leases.ts';
import { waitForLock } from '../store/lock.ts';
import { createNetwork, isNetworkName, listNetworks, readNetwork, removeNetwork } from '../store/networks.ts';
import { lockPath } from '../store/paths.ts';
import { randomHex } from '../sys/random.ts';
import { chooseSubnets, type SubnetRequest } from './choose-subnets.ts';
import { type ContainerView, listContainers } from './container-view.ts';
import { findHub } from './join-hub.ts';
import { logNetworkEvent } from './network-events.ts';
import type { Engine } from './open-engine.ts';
import { readConnections } from './read-endpoints.ts';
import { removeContainer } from './remove-container.ts';

/** What `network create` was asked for. */
export interface NetworkRequest
  extends SubnetRequest,
    Pick<
      BridgeNetwork,
      'name' | 'internal' | 'dns' | 'dnsServers' | 'mtu' | 'routes' | 'labels' | 'options'
    > {}

/** @throws ERR_TSRUN_USAGE, ERR_TSRUN_NETWORK_EXISTS, ERR_TSRUN_NETWORK_SUBNET */
export async function makeNetwork(engine: Engine, request: NetworkRequest): Promise<BridgeNetwork> {
  const { name } = request;
  if (!isNetworkName(name) || [...NETWORK_MODES, DEFAULT_NETWORK].includes(name)) {
    throw tsrunError('ERR_TSRUN_USAGE', {
      problem: `"${name}" cannot be the name of a network`,
      hint: 'letters, digits, "_", "." and "-", 128 at most; not a mode of --network',
    });
  }
  using _lock = await waitForLock(lockPath(engine.paths, 'networks'));
  if (readNetwork(engine.paths, name)) throw tsrunError('ERR_TSRUN_NETWORK_EXISTS', { name });
  const numbers = new Set(listNetworks(engine.paths).map(({ number }) => number));
  let number = 1;
  while (numbers.has(number)) number++;
  const subnets = chooseSubnets(request, engine);
  checkRoutes(request, subnets);
  const network: BridgeNetwork = {
    name,
    id: randomHex(32),
    createdAt: new Date().toISOString(),
    number,
    ...subnets,
    internal: request.internal,
    dns: request.dns,
    dnsServers: request.dnsServers,
    mtu: request.mtu,
    ...(request.routes && request.routes.length > 0 && { routes: request.routes }),
    labels: request.labels,
    options: request.options,
  };
  if (!createNetwork(engine.paths, network)) throw tsrunError('ERR_TSRUN_NETWORK_EXISTS', { name });
  logNetworkEvent(engine, 'create', network);
  return network;
}

/** The kernel takes no gateway that it has no way to itself. */
function checkRoutes({ routes = [] }: NetworkRequest, subnets: Pick<BridgeNetwork, 'ipv4' | 'ipv6'>): void {
  const own = Object.values(subnets).filter((subnet) => subnet !== undefined);
  const lost = routes.find(({ gateway }) => !own.some((subnet) => contains(subnet, gateway)));
  if (!lost) return;
  throw tsrunError('ERR_TSRUN_USAGE', {
    problem: `--route ${formatSubnet(lost.destination)},${lost.gateway}: no container of the network can have the address ${lost.gateway}`,
    hint: `--subnet SUBNET, which ${lost.gateway} is in; now it is ${own.map(formatSubnet).join(' and ')}`,
  });
}

/** Containers that were made for the network, running or not. */
export const networkUsers = (engine: Engine, name: string): ContainerView[] =>
  listContainers(engine).containers.filter((view) => networkNames(engine, view).includes(name));

/** Names of the bridge networks of a container. */
export function networkNames(engine: Engine, { id, record }: ContainerView): string[] {
  const connections = readConnections(engine, id);
  if (connections) return connections.map(({ name }) => name);
  const mode = networkMode(record.networkMode, record.endpoint);
  return mode.kind === 'bridge' ? mode.networks.map(({ name }) => name) : [];
}

/** @param force remove the containers that use it, too. @throws ERR_TSRUN_NETWORK_IN_USE, ERR_TSRUN_USAGE for the default one */
export async function deleteNetwork(engine: Engine, network: BridgeNetwork, force: boolean): Promise<void> {
  if (network.name === DEFAULT_NETWORK) {
    throw tsrunError('ERR_TSRUN_USAGE', {
      problem: `the network "${DEFAULT_NETWORK}" is always there`,
      hint: 'tsrun network ls',
    });
  }
  const users = networkUsers(engine, network.name);
  if (users.length > 0 && !force) {
    const containers = users.map(({ name }) => name);
    throw tsrunError('ERR_TSRUN_NETWORK_IN_USE', { name: network.name, containers });
  }
  for (const view of users) await removeContainer(engine, view, { force: true, volumes: false });
  forgetLeases(engine.paths, network.number); // before another network can get the number
  removeNetwork(engine.paths, network.name);
  removeBridge(engine, network);
  logNetworkEvent(engine, 'remove', network);
}

/** The bridge of a network that is no more: another network may get its subnet. Without a hub there is none. */
function removeBridge(engine: Engine, network: BridgeNetwork): void {
  using hub = findHub(engine);
  if (!hub) return;
  const { ipv4, ipv6 } = network;
  const messages = [
    removeLink(bridgeLink(network).name),
    ...[ipv4, ipv6].flatMap((subnet) => (subnet ? [removeUnreachable(subnet.base, subnet.prefix)] : [])),
  ];
  runInside({ maps: engine.maps, holder: hub.pidfd }, (slots) =>
    visitBridges(slots, hub.netns, (route) =>
      messages.flatMap((message) =>
        // Nothing may ever have been connected to it: then there is neither.
        exchange('rootless', 'remove the bridge', slots, route, [message], 'ip', ['ENODEV', 'ESRCH']),
      ),
    ),
  );
}

/** Removes those that no container uses. @returns their names */
export async function pruneNetworks(engine: Engine, candidates: readonly BridgeNetwork[]): Promise<string[]> {
  const gone: string[] = [];
  for (const network of candidates) {
    if (network.name === DEFAULT_NETWORK || networkUsers(engine, network.name).length > 0) continue;
    await deleteNetwork(engine, network, false);
    gone.push(network.name);
  }
  return gone;
}
