/**
 * Use case: `tsrun network reload`: what of a running container's network can be made new without it noticing. If the hub of its bridges was
 * killed, another takes it over; /etc/hosts and /etc/resolv.conf are written as they would be at a start. A helper of its own that was killed
 * only a start makes anew, as it lives and dies with the supervisor that started it: then that is said.
 */
import { fstatSync } from 'node:fs';
import { tsrunError } from '../errors.ts';
import { FORWARDER } from '../network/forward/config.ts';
import { heldNamespace } from './adopt-containers.ts';
import { endpointDriver } from './connect-networks.ts';
import { type ContainerNetwork, chooseNetwork } from './container-network.ts';
import { type ContainerView, notRunning } from './container-view.ts';
import { hubNeeds } from './hub-needs.ts';
import { joinHub } from './join-hub.ts';
import type { Engine } from './open-engine.ts';
import { readEndpoints } from './read-endpoints.ts';
import { supervisorChildren } from './supervisor-children.ts';
import { writeNetworkFiles } from './write-network-files.ts';

/** @throws ERR_TSRUN_CONTAINER_STATE when it does not run, ERR_TSRUN_HUB, ERR_TSRUN_NETWORK_HELPER for one that was killed */
export async function reloadNetwork(engine: Engine, view: ContainerView): Promise<void> {
  const { record, state } = view;
  if (!state.init) throw notRunning(view);
  const chosen = chooseNetwork(engine, record.networkMode, record.ports, record.endpoint);
  const network = chosen.bridge ? await rejoin(engine, view, chosen) : chosen;
  writeNetworkFiles(engine, record, network);
  requireHelpers(view, network);
}

/** Drivers whose networks a helper of that name connects. */
const WITH_HELPER = ['slirp4netns', 'pasta'];

function requireHelpers({ name, record, state }: ContainerView, { driver }: ContainerNetwork): void {
  const running = supervisorChildren(state.supervisor?.pid ?? 0).map(({ argv }) => argv[0] ?? '');
  const refuse = (helper: string, lack: string) =>
    tsrunError('ERR_TSRUN_NETWORK_HELPER', {
      helper,
      reason: `it ended while ${name} ran, which ${lack} since then`,
      hint: `tsrun restart ${name}`,
    });
  // The other one, if what this machine has changed before the last start.
  if (WITH_HELPER.includes(record.network) && !running.some((child) => WITH_HELPER.includes(child)))
    throw refuse(record.network, 'is cut off');
  if (record.ports.length > 0 && driver.publishing === 'sockets' && !running.includes(FORWARDER))
    throw refuse(FORWARDER, 'cannot be reached by its published ports');
}

async function rejoin(
  engine: Engine,
  { id, name, record, state }: ContainerView,
  network: ContainerNetwork,
): Promise<ContainerNetwork> {
  using hub = await joinHub(engine, hubNeeds(engine));
  if (state.supervisor && heldNamespace(state.supervisor) !== fstatSync(hub.netns).ino) {
    const doing = `reconnect container ${name}`;
    throw tsrunError('ERR_TSRUN_HUB', { doing }, `it is on bridges of another hub; tsrun restart ${name}`);
  }
  const { bridge, host } = network;
  return bridge
    ? { ...network, driver: endpointDriver(record, readEndpoints(engine, id), bridge, host) }
    : network;
}
