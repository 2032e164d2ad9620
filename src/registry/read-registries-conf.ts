/** Where registries.conf and its drop-ins are (containers-registries.conf(5), containers-registries.conf.d(5)). */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { tsrunError } from '../errors.ts';
import { homeDirectory } from '../sys/home-directory.ts';
import { parsePlainToml } from './plain-toml.ts';
import { mergeRegistriesConf, parseRegistriesConf, type RegistriesConf } from './registries-conf.ts';

const SYSTEM = '/etc/containers';

function readIfPresent(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw tsrunError('ERR_TSRUN_REGISTRIES_CONF', { file: path, problem: 'it cannot be read' }, error);
  }
}

function dropIns(directory: string): string[] {
  try {
    const names = readdirSync(directory).filter((name) => name.endsWith('.conf'));
    return names.sort().map((name) => join(directory, name));
  } catch {
    return []; // no drop-ins, or none that this user may see
  }
}

/**
 * The files that count, in this order: the main one ($CONTAINERS_REGISTRIES_CONF, else the user's, else the system's), the system's
 * drop-ins, the user's, and the aliases that podman has noted when its user chose one.
 */
function filePaths(environment: NodeJS.ProcessEnv): string[] {
  const home = homeDirectory(environment);
  const user = join(environment.XDG_CONFIG_HOME || join(home, '.config'), 'containers');
  const given = environment.CONTAINERS_REGISTRIES_CONF;
  if (given && readIfPresent(given) === undefined) {
    const problem = 'it is not there, and $CONTAINERS_REGISTRIES_CONF names it';
    throw tsrunError('ERR_TSRUN_REGISTRIES_CONF', { file: given, problem });
  }
  const name = 'registries.conf';
  const main = [given, join(user, name), join(SYSTEM, name)].find(
    (path) => path && readIfPresent(path) !== undefined,
  );
  const cache = join(environment.XDG_CACHE_HOME || join(home, '.cache'), 'containers');
  return [
    ...(main ? [main] : []),
    ...dropIns(join(SYSTEM, `${name}.d`)),
    ...dropIns(join(user, `${name}.d`)),
    join(cache, 'short-name-aliases.conf'),
  ];
}

/** `credential-helpers` for all files of logins. */
export const AUTH_FILES_HELPER = 'containers-auth.json';

/** Who is asked for logins, in this order; by default the files of podman and docker. Throws ERR_TSRUN_REGISTRIES_CONF. */
export async function credentialHelpers(environment: NodeJS.ProcessEnv): Promise<string[]> {
  const { credentialHelpers: helpers = [] } = await readRegistriesConf(environment);
  return helpers.length === 0 ? [AUTH_FILES_HELPER] : helpers;
}

/** All files together. Throws ERR_TSRUN_REGISTRIES_CONF, naming the file and what is wrong with it. */
export async function readRegistriesConf(environment: NodeJS.ProcessEnv): Promise<RegistriesConf> {
  const texts = filePaths(environment).flatMap((file) => {
    const text = readIfPresent(file);
    return text === undefined ? [] : [{ file, text }];
  });
  const files: RegistriesConf[] = [];
  for (const { file, text } of texts)
    files.push(parseRegistriesConf(parsePlainToml(text) ?? (await parseToml(text, file)), file));
  return mergeRegistriesConf(files);
}

async function parseToml(text: string, file: string): Promise<Record<string, unknown>> {
  const { parse } = await import('smol-toml');
  try {
    return parse(text);
  } catch (error) {
    throw tsrunError('ERR_TSRUN_REGISTRIES_CONF', { file, problem: 'it is not TOML' }, error);
  }
}
