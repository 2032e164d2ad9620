import { type HostNetwork, readHostNetwork } from '../network/host-network.ts';
import { networkHelper } from './network-helper.ts';
import type { Engine } from './open-engine.ts';

/** What a new hub needs. */
export interface HubNeeds {
  host: HostNetwork;
  /** slirp4netns's executable; undefined = no way out */
  helper: string | undefined;
}

/** What a hub needs here now. */
export function hubNeeds(engine: Engine): HubNeeds {
  const found = networkHelper(engine, 'slirp4netns');
  return { host: readHostNetwork(), helper: found.usable ? found.path : undefined };
}
