/** The network of a container for which none was asked: the user's configuration may name one. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseNetwork } from '../network/parse-network.ts';
import { probeBridge } from '../network/probe-bridge.ts';
import { probeHelper } from '../network/probe-helper.ts';
import type { Engine } from './open-engine.ts';
import { readUserConfig } from './user-config.ts';

/**
 * What --network is when it is not given; undefined = there is no other default than tsrun's own. Where bridges cannot be made on this
 * host, or have no way out, a default bridge gives way to a private network with a line that says why: nobody asked for the
 * bridge by its name, and the same configuration may be on many machines. What was chosen is kept in the container's record.
 * @throws ERR_TSRUN_CONFIG
 */
export async function defaultNetwork(engine: Engine, configFile: string): Promise<string | undefined> {
  const { network } = await readUserConfig(configFile);
  if (network === undefined || parseNetwork(network).kind !== 'bridge') return network;
  const problem = bridgeProblem(engine);
  if (problem === undefined) return network;
  engine.warn(`no bridge network: ${problem}; the container has --network private instead`);
  return 'private';
}

function bridgeProblem({ paths, rootless }: Engine): string | undefined {
  mkdirSync(paths.runtime, { recursive: true, mode: 0o700 });
  const uplink = probeHelper('slirp4netns', { cacheFile: join(paths.runtime, 'network-helpers.json') });
  if (!uplink.usable) return `slirp4netns: ${uplink.reason}`;
  return probeBridge(rootless(), join(paths.runtime, 'makes-bridges'));
}
