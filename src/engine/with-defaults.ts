/** What is not said on the command line, the user's configuration may say, else tsrun's own defaults. Who has none does not load its parser. */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { defaultNetwork } from './default-network.ts';
import type { Engine } from './open-engine.ts';
import type { CreateRequest } from './request.ts';

/** $XDG_CONFIG_HOME/tsrun/config.toml, by default ~/.config/tsrun/config.toml. */
export function userConfigPath(environment: NodeJS.ProcessEnv): string {
  const base = environment.XDG_CONFIG_HOME || join(environment.HOME || homedir(), '.config');
  return join(base, 'tsrun', 'config.toml');
}

/** `network` of the user's configuration. @throws ERR_TSRUN_CONFIG */
export async function configuredNetwork(environment: NodeJS.ProcessEnv): Promise<string | undefined> {
  const file = userConfigPath(environment);
  if (!existsSync(file)) return undefined;
  const { readUserConfig } = await import('./user-config.ts');
  return (await readUserConfig(file)).network;
}

/** What was chosen is kept in the container's record. @throws ERR_TSRUN_CONFIG */
export async function withDefaults(engine: Engine, request: CreateRequest): Promise<CreateRequest> {
  if (request.network !== undefined && request.network !== 'default') return request;
  const { network, problem } = defaultNetwork(engine, await configuredNetwork(process.env));
  if (problem !== undefined)
    engine.warn(`no bridge network: ${problem}; the container has --network private instead`);
  return { ...request, network };
}
