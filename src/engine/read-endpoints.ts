/** What a container has got of its bridge networks, written down at its start, for `inspect` and the next start. Gone at reboot. */
import { readFileSync, writeFileSync } from 'node:fs';
import { tsrunError } from '../errors.ts';
import type { EndpointLease, EndpointRequest } from '../network/bridge-network.ts';
import { replaceFile } from '../store/atomic-write.ts';
import { containerFiles, endpointsPath } from '../store/paths.ts';
import type { Engine } from './open-engine.ts';

/** What the container has got of its networks, at its last start. */
export function readEndpoints(engine: Engine, id: string): EndpointLease[] {
  try {
    return JSON.parse(readFileSync(endpointsPath(engine.paths, id), 'utf8')) as EndpointLease[];
  } catch {
    return []; // it has none, or was never started since the machine was
  }
}

/** @throws ERR_TSRUN_CONTAINER_UNKNOWN when it was removed meanwhile */
export const writeEndpoints = (engine: Engine, id: string, leases: readonly EndpointLease[]): void =>
  unlessRemoved(id, () => writeFileSync(endpointsPath(engine.paths, id), JSON.stringify(leases)));

/** What `network connect` and `disconnect` have made of the container's networks; undefined = they are as it was created. */
export function readConnections(engine: Engine, id: string): EndpointRequest[] | undefined {
  try {
    return JSON.parse(readFileSync(containerFiles(engine.paths, id).networks, 'utf8')) as EndpointRequest[];
  } catch {
    return undefined;
  }
}

/** @throws ERR_TSRUN_CONTAINER_UNKNOWN when it was removed meanwhile */
export const writeConnections = (engine: Engine, id: string, requests: readonly EndpointRequest[]): void =>
  unlessRemoved(id, () =>
    replaceFile(engine.paths, containerFiles(engine.paths, id).networks, JSON.stringify(requests)),
  );

/** Both files are in directories that go with the container. */
function unlessRemoved(id: string, write: () => void): void {
  try {
    write();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw tsrunError('ERR_TSRUN_CONTAINER_UNKNOWN', { name: id.slice(0, 12) });
  }
}
