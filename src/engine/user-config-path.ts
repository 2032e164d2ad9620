/** The user's configuration, if there is one. Who has none does not load its parser. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { homeDirectory } from '../sys/home-directory.ts';
import type { UserConfig } from './user-config.ts';

/** $XDG_CONFIG_HOME/tsrun/config.toml, by default ~/.config/tsrun/config.toml. */
export function userConfigPath(environment: NodeJS.ProcessEnv): string {
  const base = environment.XDG_CONFIG_HOME || join(homeDirectory(environment), '.config');
  return join(base, 'tsrun', 'config.toml');
}

/** What the file says; nothing where there is none. @throws ERR_TSRUN_CONFIG */
export async function configured(environment: NodeJS.ProcessEnv): Promise<UserConfig> {
  const file = userConfigPath(environment);
  if (!existsSync(file)) return {};
  const { readUserConfig } = await import('./user-config.ts');
  return await readUserConfig(file);
}
