/** What a container has got of its bridge networks, written down at its start, for `inspect` and the next start. Gone at reboot. */
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { EndpointLease, EndpointRequest } from '../network/bridge-network.ts';
import { writeFileAtomic } from '../store/atomic-write.ts';
import { containerFiles, endpointsPath } from '../store/paths.ts';
import { makeDirectories } from '../sys/make-directories.ts';
import type { Engine } from './open-engine.ts';

/** What the container has got of its networks, at its last start. */
export function readEndpoints(engine: Engine, id: string): EndpointLease[] {
  try {
    return JSON.parse(readFileSync(endpointsPath(engine.paths, id), 'utf8')) as EndpointLease[];
  } catch {
    return []; // it has none, or was never started since the machine was
  }
}

export function writeEndpoints(engine: Engine, id: string, leases: readonly EndpointLease[]): void {
  const path = endpointsPath(engine.paths, id);
  makeDirectories(dirname(path), 0o700);
  writeFileSync(path, JSON.stringify(leases));
}

/** What `network connect` and `disconnect` have made of the container's networks; undefined = they are as it was created. */
export function readConnections(engine: Engine, id: string): EndpointRequest[] | undefined {
  try {
    return JSON.parse(readFileSync(containerFiles(engine.paths, id).networks, 'utf8')) as EndpointRequest[];
  } catch {
    return undefined;
  }
}

export const writeConnections = (engine: Engine, id: string, requests: readonly EndpointRequest[]): void =>
  writeFileAtomic(engine.paths, containerFiles(engine.paths, id).networks, JSON.stringify(requests));
