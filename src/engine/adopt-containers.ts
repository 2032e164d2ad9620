/**
 * What a killed hub leaves behind: containers that run, and supervisors that still hold the network namespace of the bridges. So addresses
 * and cables are as they were; names and the way out are gone. The hub that is started next is given that namespace, and told who is in it;
 * each of them is a member then as long as its supervisor lives, by a pidfd.
 *
 *     supervisor (descriptor 9: the namespace) --- /proc/PID/fd/9 ---> tsrun ---> the new hub
 */
import { closeSync, fstatSync, openSync } from 'node:fs';
import { hubEndpoint, SUPERVISOR_NETNS } from '../network/bridge.ts';
import type { EndpointLease } from '../network/bridge-network.ts';
import { endpointMessage, HUB_JOIN } from '../network/hub-protocol.ts';
import type { IpAddress } from '../network/ip-address.ts';
import { readContainerState } from '../store/container-state.ts';
import { leaseContainers } from '../store/leases.ts';
import { openPidfd, type ProcessId } from '../sys/process.ts';
import type { Engine } from './open-engine.ts';
import { readEndpoints } from './read-endpoints.ts';
import { tellHub } from './tell-hub.ts';

/** A container that runs on bridge networks. */
export interface Survivor {
  id: string;
  supervisor: ProcessId;
  leases: readonly EndpointLease[];
  /** --dns */
  servers: readonly IpAddress[];
}

/** Those of one network namespace. All descriptors are ours. */
export interface Survivors extends Disposable {
  netns: number;
  /** pidfd of one of their supervisors: in whose user namespace the hub has to be. */
  holder: number;
  containers: Survivor[];
}

/** The inode of the bridges' network namespace as the container's supervisor holds it; undefined when it has ended, or has none. */
export const heldNamespace = (supervisor: ProcessId): number | undefined => {
  const netns = openHeld(supervisor);
  if (netns === undefined) return undefined;
  const { ino } = fstatSync(netns);
  closeSync(netns);
  return ino;
};

/** An ordinary user may: the supervisor is in a user namespace that is his. */
function openHeld({ pid }: ProcessId): number | undefined {
  try {
    return openSync(`/proc/${pid}/fd/${SUPERVISOR_NETNS}`, 'r');
  } catch {
    return undefined;
  }
}

/** The containers that live on bridges, if there are any: by their leases, so that none else is looked at. */
export function findSurvivors(engine: Engine): Survivors | undefined {
  const running = leaseContainers(engine.paths).flatMap((id): Survivor[] => {
    const { supervisor } = readContainerState(engine.paths, id);
    const record = supervisor && engine.containers.read(id);
    if (!supervisor || !record) return [];
    return [{ id, supervisor, leases: readEndpoints(engine, id), servers: record.dns.dns }];
  });
  for (const { supervisor } of running) {
    const netns = openHeld(supervisor);
    const holder = netns === undefined ? undefined : openPidfd(supervisor);
    if (netns === undefined || holder === undefined) {
      if (netns !== undefined) closeSync(netns);
      continue;
    }
    const { ino } = fstatSync(netns);
    const containers = running.filter((survivor) => heldNamespace(survivor.supervisor) === ino);
    const dispose = () => {
      closeSync(netns);
      closeSync(holder);
    };
    return { netns, holder, containers, [Symbol.dispose]: dispose };
  }
  return undefined;
}

/** Makes the container a member of the hub at the other end of `connection`. @throws SyscallFailure with what the hub says */
export function adopt(connection: number, { id, supervisor, leases, servers }: Survivor): void {
  for (const lease of leases) {
    const pidfd = openPidfd(supervisor);
    if (pidfd === undefined) return; // it has just ended
    tellHub(connection, endpointMessage(HUB_JOIN, hubEndpoint(id, lease, servers), true), pidfd);
  }
}
