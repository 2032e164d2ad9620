/**
 * Logins kept by podman, docker and their like: which files hold them, in which order they count. Written by save-login.ts alone.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { tsrunError } from '../errors.ts';
import { homeDirectory } from '../sys/home-directory.ts';
import { type Credentials, decodeEntry, lookUp, readAuthFile, serverUrl } from './auth-file.ts';
import { askCredentialHelper } from './credential-helper.ts';
import { AUTH_FILES_HELPER, credentialHelpers } from './read-registries-conf.ts';

/** The file that `tsrun login` writes, as podman's: gone at reboot where there is a runtime directory. */
export function defaultAuthFile(environment: NodeJS.ProcessEnv): string {
  if (environment.REGISTRY_AUTH_FILE) return environment.REGISTRY_AUTH_FILE;
  const base =
    environment.XDG_RUNTIME_DIR || environment.XDG_CONFIG_HOME || join(homeDirectory(environment), '.config');
  return join(base, 'containers', 'auth.json');
}

/** The files that may hold logins, in the order in which they count. `$REGISTRY_AUTH_FILE` stands alone. */
export function authFilePaths(environment: NodeJS.ProcessEnv): string[] {
  if (environment.REGISTRY_AUTH_FILE) return [environment.REGISTRY_AUTH_FILE];
  const home = homeDirectory(environment);
  const runtime = environment.XDG_RUNTIME_DIR
    ? [join(environment.XDG_RUNTIME_DIR, 'containers', 'auth.json')]
    : [];
  return [
    ...runtime,
    join(environment.XDG_CONFIG_HOME || join(home, '.config'), 'containers', 'auth.json'),
    join(environment.DOCKER_CONFIG || join(home, '.docker'), 'config.json'),
  ];
}

/** `quay.io/a/b`, `quay.io/a`, `quay.io`: an entry for a part of a registry counts before that for the whole. */
function keysFor(registry: string, repository: string): string[] {
  const parts = [registry, ...repository.split('/')];
  return parts.map((_, i) => parts.slice(0, parts.length - i).join('/'));
}

async function findInFile(
  path: string,
  registry: string,
  repository: string,
): Promise<Credentials | undefined> {
  const file = readAuthFile(path);
  if (file === undefined) return undefined;
  const helper = lookUp(file.credHelpers, registry);
  if (helper) return askCredentialHelper(helper, serverUrl(registry));
  for (const key of keysFor(registry, repository)) {
    const entry = lookUp(file.auths, key);
    const credentials = entry && decodeEntry(entry, path);
    if (credentials !== undefined) return credentials;
  }
  return file.credsStore ? askCredentialHelper(file.credsStore, serverUrl(registry)) : undefined;
}

/**
 * The login for a repository; undefined when nobody has one. `authFile` (--authfile) stands alone, and must be there.
 * Throws ERR_TSRUN_CREDENTIALS when a file or a helper is there but does not work, ERR_TSRUN_REGISTRIES_CONF.
 */
export async function findCredentials(
  registry: string,
  repository: string,
  environment: NodeJS.ProcessEnv,
  authFile?: string,
): Promise<Credentials | undefined> {
  if (authFile !== undefined && !existsSync(authFile)) {
    throw tsrunError('ERR_TSRUN_CREDENTIALS', { source: authFile, problem: 'there is no such file' });
  }
  const helpers = authFile === undefined ? await credentialHelpers(environment) : [AUTH_FILES_HELPER];
  for (const helper of helpers) {
    const credentials =
      helper === AUTH_FILES_HELPER
        ? await findInFiles(
            authFile === undefined ? authFilePaths(environment) : [authFile],
            registry,
            repository,
          )
        : await askCredentialHelper(helper, serverUrl(registry));
    if (credentials !== undefined) return credentials;
  }
  return undefined;
}

async function findInFiles(
  paths: readonly string[],
  registry: string,
  repository: string,
): Promise<Credentials | undefined> {
  for (const path of paths) {
    const credentials = await findInFile(path, registry, repository);
    if (credentials !== undefined) return credentials;
  }
  return undefined;
}
