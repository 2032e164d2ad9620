/** What is not said on the command line, the user's configuration may say. Nobody who has none loads more than this file. */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Engine } from './open-engine.ts';
import type { CreateRequest } from './request.ts';

/** $XDG_CONFIG_HOME/tsrun/config.toml, by default ~/.config/tsrun/config.toml. */
export function userConfigPath(environment: NodeJS.ProcessEnv): string {
  const base = environment.XDG_CONFIG_HOME || join(environment.HOME || homedir(), '.config');
  return join(base, 'tsrun', 'config.toml');
}

/** @throws ERR_TSRUN_CONFIG */
export async function withDefaults(engine: Engine, request: CreateRequest): Promise<CreateRequest> {
  const file = userConfigPath(process.env);
  if (request.network !== undefined || !existsSync(file)) return request;
  const { defaultNetwork } = await import('./default-network.ts');
  return { ...request, network: await defaultNetwork(engine, file) };
}
