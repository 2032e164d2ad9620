/** The network of a container for which none was asked: the user's bridge, unless the configuration names another. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DEFAULT_NETWORK } from '../network/bridge-network.ts';
import { parseNetwork } from '../network/parse-network.ts';
import { probeBridge } from '../network/probe-bridge.ts';
import { probeHelper } from '../network/probe-helper.ts';
import type { Engine } from './open-engine.ts';

export interface DefaultNetwork {
  /** As --network has it. */
  network: string;
  /** Why it is no bridge, though it would be one. */
  problem?: string;
}

/**
 * What --network is when it is not given. Where bridges cannot be made on this host, or have no way out, a default bridge gives way to a
 * private network: nobody asked for the bridge by its name, and the same configuration may be on many machines.
 * @param configured what the user's configuration says
 */
export function defaultNetwork(engine: Engine, configured = DEFAULT_NETWORK): DefaultNetwork {
  if (parseNetwork(configured).kind !== 'bridge') return { network: configured };
  const problem = bridgeProblem(engine);
  return problem === undefined ? { network: configured } : { network: 'private', problem };
}

function bridgeProblem({ paths, rootless }: Engine): string | undefined {
  mkdirSync(paths.runtime, { recursive: true, mode: 0o700 });
  const uplink = probeHelper('slirp4netns', { cacheFile: join(paths.runtime, 'network-helpers.json') });
  if (!uplink.usable) return `slirp4netns: ${uplink.reason}`;
  return probeBridge(rootless, join(paths.runtime, 'makes-bridges'));
}
