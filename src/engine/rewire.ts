/**
 * What else of a running container follows its networks when it has been connected to one, or taken off: its /etc/hosts and /etc/resolv.conf,
 * where its published ports lead, and with what its supervisor would start it again.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import type { EndpointLease } from '../network/bridge-network.ts';
import { containerFiles } from '../store/paths.ts';
import { endpointDriver } from './connect-networks.ts';
import { type ContainerNetwork, chooseNetwork, networkFiles } from './container-network.ts';
import type { ContainerView } from './container-view.ts';
import type { Engine } from './open-engine.ts';
import { containersSharingNetwork } from './sharing-network.ts';

/** @param before what it had; @param after what it has got now */
export async function rewire(
  engine: Engine,
  view: ContainerView,
  before: readonly EndpointLease[],
  after: readonly EndpointLease[],
): Promise<void> {
  const { record } = view;
  const network = chooseNetwork(engine, record.networkMode, record.ports, record.endpoint);
  const { bridge, host } = network;
  if (!bridge) return;
  const having = (leases: readonly EndpointLease[]): ContainerNetwork => ({
    ...network,
    driver: endpointDriver(record, leases, bridge, host),
  });
  updateFiles(engine, view, having(before), having(after));
  if (record.ports.length > 0) {
    const { retargetPorts } = await import('./retarget-ports.ts');
    retargetPorts(view, after, bridge.transparent);
  }
  if (record.restart || record.health) {
    const { writeRestartSpec } = await import('./restart-spec.ts');
    await writeRestartSpec(engine, view, having(after));
  }
}

/** Of this container and of those that share its network. Lines that somebody else wrote into the files stay. */
function updateFiles(
  engine: Engine,
  view: ContainerView,
  before: ContainerNetwork,
  after: ContainerNetwork,
): void {
  const { hostname, addHosts, dns } = view.record;
  const [old, now] = [before, after].map((network) => networkFiles(network, { hostname, addHosts }, dns));
  if (!old || !now) return;
  for (const id of [view.id, ...containersSharingNetwork(engine, view)]) {
    const files = containerFiles(engine.paths, id);
    update(files.hosts, old.hosts, now.hosts);
    update(files.resolvConf, old.resolvConf, now.resolvConf);
  }
}

const linesOf = (text: string): string[] => text.split('\n').filter((line) => line !== '');

/** The lines that are there of `before` give way to those of `after`; in place, as the file is bind-mounted. */
export function changedLines(text: string, before: string, after: string): string {
  if (text === before) return after;
  const [old, now] = [linesOf(before), linesOf(after)];
  const kept = linesOf(text).filter((line) => !old.includes(line) || now.includes(line));
  const added = now.filter((line) => !old.includes(line) && !kept.includes(line));
  return [...kept, ...added].map((line) => `${line}\n`).join('');
}

function update(path: string, before: string, after: string): void {
  if (before === after) return;
  writeFileSync(path, changedLines(readFileSync(path, 'utf8'), before, after));
}
