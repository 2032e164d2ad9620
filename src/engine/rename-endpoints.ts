/** A container that gets another name while it runs is found by it on its bridge networks, and no more by the old one. */
import { hubEndpoint } from '../network/bridge.ts';
import { endpointMessage, HUB_JOIN } from '../network/hub-protocol.ts';
import { openPidfd } from '../sys/process.ts';
import type { ContainerView } from './container-view.ts';
import { findHub } from './join-hub.ts';
import type { Engine } from './open-engine.ts';
import { readEndpoints, writeEndpoints } from './read-endpoints.ts';
import { rewire } from './rewire.ts';
import { tellHub } from './tell-hub.ts';

/** @param view with its new name; @param old the one that it had */
export async function renameEndpoints(engine: Engine, view: ContainerView, old: string): Promise<void> {
  const before = readEndpoints(engine, view.id);
  // Its proper name is the first; the same word may be an alias of it besides, which stays.
  const after = before.map((lease) => ({
    ...lease,
    names: [...new Set([view.name, ...lease.names.slice(lease.names[0] === old ? 1 : 0)])],
  }));
  writeEndpoints(engine, view.id, after);
  // If the hub was killed, the one that takes over reads what was just written.
  using hub = findHub(engine);
  for (const lease of hub ? after : []) {
    const pidfd = view.state.supervisor && openPidfd(view.state.supervisor);
    if (!hub || pidfd === undefined) break;
    const endpoint = hubEndpoint(view.id, lease, view.record.dns.dns);
    tellHub(hub.connection, endpointMessage(HUB_JOIN, endpoint, true), pidfd);
  }
  await rewire(engine, view, before, after);
}
