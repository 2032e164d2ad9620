/** The network of a container for which none was asked: the user's bridge, unless the configuration names another. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DEFAULT_NETWORK } from '../network/bridge-network.ts';
import { parseNetwork } from '../network/parse-network.ts';
import { networkHelper } from './network-helper.ts';
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
export async function defaultNetwork(
  engine: Engine,
  configured: string = DEFAULT_NETWORK,
): Promise<DefaultNetwork> {
  if (parseNetwork(configured).kind !== 'bridge') return { network: configured };
  const problem = await bridgeProblem(engine);
  return problem === undefined ? { network: configured } : { network: 'private', problem };
}

/** Why no bridge can be made here, or has a way out. What bridges take is tried once after each boot. */
async function bridgeProblem(engine: Engine): Promise<string | undefined> {
  const uplink = networkHelper(engine, 'slirp4netns');
  if (!uplink.usable) return `slirp4netns: ${uplink.reason}`;
  const mark = join(engine.paths.runtime, 'makes-bridges');
  if (existsSync(mark)) return undefined;
  return (await import('../network/probe-bridge.ts')).probeBridge(engine.rootless, mark);
}
