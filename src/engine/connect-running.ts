/**
 * Use cases: `tsrun network connect` and `disconnect`. What they change is written down beside the container, for its next starts; to a
 * running one an interface is added, or taken away. Its endpoint then lives as long as its supervisor, by a pidfd that the hub keeps.
 *
 * One command at a time does so to a container, and what is written comes last: of a command that was killed there may be leases and an
 * interface that nothing tells of, which the next `connect` takes away, or an interface may be gone that `disconnect` is to take away.
 */
import { tsrunError } from '../errors.ts';
import { configureContainer, hubEndpoint, hubMessages } from '../network/bridge.ts';
import { type EndpointLease, type EndpointRequest, nextInterface } from '../network/bridge-network.ts';
import { endpointMessage, HUB_JOIN, HUB_LEAVE } from '../network/hub-protocol.ts';
import { exchange } from '../network/netlink.ts';
import { networkMode } from '../network/parse-network.ts';
import { removeLink } from '../network/route-messages.ts';
import { visitBridges, visitContainer } from '../network/visit-namespaces.ts';
import { runInside } from '../rootless/enter.ts';
import { leasesOf, lockLeases, releaseLease } from '../store/leases.ts';
import { openPidfd } from '../sys/process.ts';
import { checkEndpoints } from './check-endpoints.ts';
import { leaseEndpoint } from './connect-networks.ts';
import type { ContainerView } from './container-view.ts';
import { asItIs } from './ended-meanwhile.ts';
import { hubNeeds } from './hub-needs.ts';
import { joinHub } from './join-hub.ts';
import { lockContainer } from './lock-container.ts';
import { logNetworkEvent } from './network-events.ts';
import { findNetwork } from './networks.ts';
import type { Engine } from './open-engine.ts';
import { readConnections, readEndpoints, writeConnections, writeEndpoints } from './read-endpoints.ts';
import { rewire } from './rewire.ts';
import { tellHub } from './tell-hub.ts';

/** The bridge networks that the container has at its next start. @throws ERR_TSRUN_USAGE for one without any */
function connectionsOf(engine: Engine, { id, name, record }: ContainerView): EndpointRequest[] {
  const mode = networkMode(record.networkMode, record.endpoint);
  const given = readConnections(engine, id) ?? (mode.kind === 'bridge' ? mode.networks : undefined);
  if (given) return given;
  throw tsrunError('ERR_TSRUN_USAGE', {
    problem: `container ${name} is not on bridge networks, but was made with --network ${record.networkMode ?? 'private'}`,
    hint: 'tsrun run --network bridge …',
  });
}

/** @throws ERR_TSRUN_USAGE when it is connected already, ERR_TSRUN_NETWORK_UNKNOWN, ERR_TSRUN_NETWORK_ADDRESS */
export const connectContainer = (
  engine: Engine,
  view: ContainerView,
  request: EndpointRequest,
): Promise<void> => asItIs(engine, view, (now) => connect(engine, now, request));

async function connect(engine: Engine, view: ContainerView, request: EndpointRequest): Promise<void> {
  using _lock = await lockContainer(engine, view.id);
  const before = connectionsOf(engine, view);
  const network = findNetwork(engine, request.name);
  if (before.some(({ name }) => name === network.name)) {
    throw tsrunError('ERR_TSRUN_USAGE', {
      problem: `container ${view.name} is on the network "${network.name}" already`,
      hint: `tsrun network disconnect ${network.name} ${view.name}`,
    });
  }
  checkEndpoints(engine, [{ ...request, name: network.name }], undefined);
  if (view.state.init) await addInterface(engine, view, { ...request, name: network.name }, before);
  writeConnections(engine, view.id, [...before, { ...request, name: network.name }]);
  logNetworkEvent(engine, 'connect', network, view);
}

async function addInterface(
  engine: Engine,
  view: ContainerView,
  request: EndpointRequest,
  before: readonly EndpointRequest[],
): Promise<void> {
  const { init, supervisor } = view.state;
  if (!init || !supervisor) return;
  const leases = readEndpoints(engine, view.id).filter(({ network }) =>
    before.some(({ name }) => name === network.name),
  );
  using hub = await joinHub(engine, hubNeeds(engine));
  const { lease, killed } = await newLease(engine, view, request, leases);
  const after = [...leases, lease];
  const leftOver = [removeLink(lease.interfaceName)];
  runInside({ maps: engine.maps, holder: hub.pidfd }, (slots) => [
    ...(killed
      ? visitContainer(slots, init.pid, (route) =>
          exchange('rootless', 'of one that was killed', slots, route, leftOver, 'ip', ['ENODEV']),
        )
      : []),
    ...visitBridges(slots, hub.netns, (route) =>
      exchange('rootless', 'connect the container to the bridge', slots, route, hubMessages(lease, init.pid)),
    ),
    ...visitContainer(slots, init.pid, (route) =>
      configureContainer('rootless', slots, route, after, [lease]),
    ),
  ]);
  tellHub(
    hub.connection,
    endpointMessage(HUB_JOIN, hubEndpoint(view.id, lease, view.record.dns.dns), true),
    openPidfd(supervisor),
  );
  writeEndpoints(engine, view.id, after);
  await rewire(engine, view, leases, after);
}

/** @returns `killed`: was there one that connected it before, and did not come to its end? It had the same name for its interface. */
async function newLease(
  engine: Engine,
  { id, record }: ContainerView,
  request: EndpointRequest,
  leases: readonly EndpointLease[],
): Promise<{ lease: EndpointLease; killed: boolean }> {
  using _lock = await lockLeases(engine.paths);
  const left = leasesOf(engine.paths, id).filter(
    ({ network: number, address }) =>
      !leases.some(({ network, ipv4, ipv6 }) => network.number === number && [ipv4, ipv6].includes(address)),
  );
  for (const { network, address } of left) releaseLease(engine.paths, network, address, id);
  const interfaceName = nextInterface(leases.map((lease) => lease.interfaceName));
  return { lease: leaseEndpoint(engine, record, request, interfaceName), killed: left.length > 0 };
}

/** @param force not being connected is no error. @throws ERR_TSRUN_USAGE when it is not connected */
export const disconnectContainer = (
  engine: Engine,
  view: ContainerView,
  networkName: string,
  force = false,
): Promise<void> => asItIs(engine, view, (now) => disconnect(engine, now, networkName, force));

async function disconnect(
  engine: Engine,
  view: ContainerView,
  networkName: string,
  force: boolean,
): Promise<void> {
  using _lock = await lockContainer(engine, view.id);
  const before = connectionsOf(engine, view);
  const network = findNetwork(engine, networkName);
  const { name, number } = network;
  if (!before.some((request) => request.name === name)) {
    if (force) return;
    throw tsrunError('ERR_TSRUN_USAGE', {
      problem: `container ${view.name} is not on the network "${name}"`,
      hint: `tsrun network connect ${name} ${view.name}`,
    });
  }
  const leases = readEndpoints(engine, view.id);
  const lease = leases.find(({ network }) => network.name === name);
  const { init } = view.state;
  const after = leases.filter((other) => other !== lease);
  if (init && lease) {
    using hub = await joinHub(engine, hubNeeds(engine));
    runInside({ maps: engine.maps, holder: hub.pidfd }, (slots) =>
      visitContainer(slots, init.pid, (route) => [
        ...exchange(
          'rootless',
          'take its interface away',
          slots,
          route,
          [removeLink(lease.interfaceName)],
          'ip',
          ['ENODEV'],
        ),
        ...configureContainer('rootless', slots, route, after, []),
      ]),
    );
    tellHub(hub.connection, endpointMessage(HUB_LEAVE, hubEndpoint(view.id, lease, [])));
    using _lock = await lockLeases(engine.paths);
    for (const address of [lease.ipv4, lease.ipv6]) {
      if (address !== undefined) releaseLease(engine.paths, number, address, view.id);
    }
    writeEndpoints(engine, view.id, after);
  }
  writeConnections(
    engine,
    view.id,
    before.filter((request) => request.name !== name),
  );
  if (init && lease) await rewire(engine, view, leases, after);
  logNetworkEvent(engine, 'disconnect', network, view);
}
