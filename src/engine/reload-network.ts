/**
 * Use case: `tsrun network reload`: what of a running container's network can be made new without it noticing. If the hub of its bridges was
 * killed, another takes it over; /etc/hosts and /etc/resolv.conf are written as they would be at a start.
 */
import { fstatSync } from 'node:fs';
import { tsrunError } from '../errors.ts';
import { heldNamespace } from './adopt-containers.ts';
import { endpointDriver } from './connect-networks.ts';
import { type ContainerNetwork, chooseNetwork } from './container-network.ts';
import { type ContainerView, notRunning } from './container-view.ts';
import { hubNeeds } from './hub-needs.ts';
import { joinHub } from './join-hub.ts';
import type { Engine } from './open-engine.ts';
import { readEndpoints } from './read-endpoints.ts';
import { writeNetworkFiles } from './write-network-files.ts';

/** @throws ERR_TSRUN_CONTAINER_STATE when it does not run, ERR_TSRUN_HUB */
export async function reloadNetwork(engine: Engine, view: ContainerView): Promise<void> {
  const { record, state } = view;
  if (!state.init) throw notRunning(view);
  const network = chooseNetwork(engine, record.networkMode, [], record.endpoint);
  writeNetworkFiles(engine, record, network.bridge ? await rejoin(engine, view, network) : network);
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
