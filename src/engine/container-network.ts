/**
 * The network of one container: which driver, which ports, what its /etc/hosts and /etc/resolv.conf say. Chosen anew at each start,
 * as the host may have changed in between; only the host ports are fixed when the container is created.
 */
import { join } from 'node:path';
import type { EndpointRequest } from '../network/bridge-network.ts';
import { type Choice, type ChoiceContext, chooseDriver, type LocalMode } from '../network/choose-driver.ts';
import { claimPorts, type PortClaim } from '../network/claim-ports.ts';
import type { PortMapping } from '../network/driver.ts';
import { probeTransparent } from '../network/forward/probe-transparent.ts';
import { type HostNetwork, readHostNetwork } from '../network/host-network.ts';
import { hostsFile } from '../network/hosts-file.ts';
import {
  type EndpointOptions,
  type NetworkMode,
  networkMode,
  parseNetwork,
} from '../network/parse-network.ts';
import { withoutRepeats } from '../network/parse-publish.ts';
import { unconnectedBridge } from '../network/plain-drivers.ts';
import { containerResolvConf, type DnsRequest } from '../network/resolv-conf.ts';
import type { Rootless } from '../rootless/enter.ts';
import type { RuntimeConfig } from '../spec/runtime.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import { openPidfd } from '../sys/process.ts';
import type { Step } from '../sys/step.ts';
import { type ContainerView, findContainer, notRunning } from './container-view.ts';
import { sharingContainer } from './joined-namespaces.ts';
import { networkHelper } from './network-helper.ts';
import type { Engine } from './open-engine.ts';
import type { CreateRequest } from './request.ts';

/** What connectNetworks() needs to know. */
export interface BridgeChoice {
  networks: EndpointRequest[];
  /** slirp4netns's executable, for the uplink. */
  helper: string | undefined;
  /** Whether clients of published ports can be seen with their own addresses. */
  transparent: boolean;
}

export interface ContainerNetwork extends Choice {
  host: HostNetwork;
  /** Its ports, held by this process until it is disposed of, or the process ends; none before claimContainerPorts(). */
  claim: PortClaim;
  /** Bridge networks, which connectNetworks() connects at each start. */
  bridge?: BridgeChoice | undefined;
}

/** No port is published: there is nothing to let go of. */
const noPorts = (): PortClaim => ({ ports: [], sockets: [], [Symbol.dispose]: () => {} });

/** A network that a container can be started with. Disposed when it has been. */
export interface ConnectedNetwork extends Disposable {
  network: ContainerNetwork;
  /** Descriptors for the supervisor, from FD_EXTRA on. */
  extra: readonly number[];
  /** Into which namespaces it has to go; undefined = it does not matter here. */
  rootless: Rootless | undefined;
  /** What is known of a failed step of the supervisor's besides its errno. */
  explain(step: Step | undefined): string | undefined;
  /** Looks after the start whether all is still well. */
  settle(): Promise<void>;
}

export const withoutBridge = (network: ContainerNetwork): ConnectedNetwork => ({
  network,
  extra: [],
  rootless: undefined,
  explain: () => undefined,
  settle: () => Promise.resolve(),
  [Symbol.dispose]: () => undefined,
});

/**
 * @param mode --network as the user wrote it
 * @throws ERR_TSRUN_USAGE, ERR_TSRUN_NETWORK_HELPER, ERR_TSRUN_CONTAINER_STATE for the network of a container that does not run
 */
export function chooseNetwork(
  engine: Engine,
  mode: string | undefined,
  ports: readonly PortMapping[],
  endpoint?: EndpointOptions,
): ContainerNetwork {
  const host = readHostNetwork();
  const context: ChoiceContext = {
    host,
    ports,
    probe: (name) => networkHelper(engine, name),
    probeTransparent: () =>
      probeTransparent(engine.rootless, join(engine.paths.runtime, 'keeps-client-addresses')),
  };
  const parsed = networkMode(mode, endpoint);
  if (parsed.kind === 'bridge') return chooseBridge(parsed.networks, context);
  return { ...chooseDriver(localMode(engine, parsed), context), host, claim: noPorts() };
}

function chooseBridge(networks: EndpointRequest[], context: ChoiceContext): ContainerNetwork {
  const { host, ports, probe, probeTransparent } = context;
  const found = probe('slirp4netns');
  const { transparent, reason } =
    ports.length > 0 ? probeTransparent() : { transparent: true, reason: undefined };
  const warnings = [
    found.usable ? undefined : `the bridge has no way out: slirp4netns: ${found.reason}; ${found.hint}`,
    reason && `clients of published ports are seen with the bridge’s address: ${reason}`,
  ].filter((warning) => warning !== undefined);
  return {
    driver: { ...unconnectedBridge, keepsClientAddresses: transparent },
    reason: 'containers of the user reach each other by address and name',
    warning: warnings.length > 0 ? warnings.join('; ') : undefined,
    host,
    claim: noPorts(),
    bridge: { networks, helper: found.usable ? found.path : undefined, transparent },
  };
}

function localMode(engine: Engine, mode: Exclude<NetworkMode, { kind: 'bridge' }>): LocalMode {
  if (mode.kind !== 'container') return mode;
  const view = findContainer(engine, mode.container);
  if (!view.state.init) throw notRunning(view);
  return { kind: 'ns', path: `/proc/${view.state.init.pid}/ns/net`, as: `container:${mode.container}` };
}

/** The container whose network a container of `--network container:NAME` shares. */
export function networkOwner(engine: Engine, mode: string | undefined): ContainerView | undefined {
  const parsed = parseNetwork(mode);
  return parsed.kind === 'container' ? findContainer(engine, parsed.container) : undefined;
}

/**
 * The way into the rootless namespaces for a container's start. A namespace can be joined only in the user namespace that it was made in,
 * and a user may have several that live, made by starts at the same moment.
 */
export function rootlessForSharing(engine: Engine, record: ContainerRecord): Rootless {
  const owner = networkOwner(engine, record.networkMode) ?? sharingContainer(engine, record);
  const supervisor = owner?.state.supervisor;
  const holder = supervisor && openPidfd(supervisor);
  return holder === undefined ? engine.rootless() : { maps: engine.maps, holder };
}

/** A configuration made earlier, with the network namespace of now: that of another container has another path at each of its starts. */
export function withNetworkNamespace(config: RuntimeConfig, { driver }: ContainerNetwork): RuntimeConfig {
  const { namespace } = driver;
  if (namespace.kind !== 'path') return config;
  const { path } = namespace;
  const namespaces = config.linux.namespaces.map((given) =>
    given.type === 'network' ? { ...given, path } : given,
  );
  return { ...config, linux: { ...config.linux, namespaces } };
}

/** The network with its ports held, and the random ones chosen: they are in `claim`. @throws ERR_TSRUN_PORT_* */
export const claimContainerPorts = (
  network: ContainerNetwork,
  ports: readonly PortMapping[],
): ContainerNetwork =>
  ports.length === 0 ? network : { ...network, claim: claimPorts(ports, network.driver.publishing) };

/** A network whose ports are held. */
export interface ClaimedNetwork {
  network: ContainerNetwork;
  ports: PortMapping[];
}

/** @param exposed ports that the image adds, for -P */
export function claimNetwork(
  engine: Engine,
  request: Pick<CreateRequest, 'network' | 'publish' | 'endpoint'>,
  exposed: readonly PortMapping[],
): ClaimedNetwork {
  const wanted = withoutRepeats([...request.publish, ...exposed]);
  const network = claimContainerPorts(
    chooseNetwork(engine, request.network, wanted, request.endpoint),
    wanted,
  );
  return { network, ports: network.claim.ports };
}

/** The texts of the generated files. */
export function networkFiles(
  network: ContainerNetwork,
  names: { hostname: string; addHosts: readonly string[] },
  dns: DnsRequest,
): { hosts: string; resolvConf: string } {
  const { driver, host } = network;
  return {
    hosts: hostsFile({
      ...names,
      ...(driver.namespace.kind === 'host' && { base: host.hosts }),
      containerAddress: driver.containerAddress,
      hostAddress: driver.hostAddress,
    }),
    resolvConf: containerResolvConf(host.resolvConf, driver.nameservers, dns, driver.searchDomain),
  };
}
