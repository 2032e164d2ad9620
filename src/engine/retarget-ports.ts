/**
 * Published ports of a running container lead to its first address. When that is another one from now on, its forwarder is told: the memory
 * file with what it goes by (native/forward/config.h) is open in it, and it looks there for each connection.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { bridgeTarget } from '../network/bridge.ts';
import type { EndpointLease } from '../network/bridge-network.ts';
import { CONFIG_FAMILIES, encodeForwardConfig, FORWARDER } from '../network/forward/config.ts';
import type { ContainerView } from './container-view.ts';
import { supervisorChildren } from './supervisor-children.ts';

/** Does nothing when the forwarder has ended, as it does with its container. */
export function retargetPorts(
  { state, record }: ContainerView,
  leases: readonly EndpointLease[],
  transparent: boolean,
): void {
  const file = state.supervisor && forwarderFile(state.supervisor.pid);
  if (file === undefined) return;
  const config = encodeForwardConfig({ ...bridgeTarget(leases), transparent }, record.ports);
  const { start, end } = CONFIG_FAMILIES;
  const fd = openSync(file, 'r+');
  try {
    writeSync(fd, config, start, end - start, start);
  } finally {
    closeSync(fd);
  }
}

/** An ordinary user may open it: the forwarder is in a user namespace that is his. Its first argument says which descriptor it is. */
function forwarderFile(supervisor: number): string | undefined {
  const forwarder = supervisorChildren(supervisor).find(({ argv }) => argv[0] === FORWARDER);
  return forwarder && `/proc/${forwarder.pid}/fd/${forwarder.argv[1]}`;
}
