/**
 * Logins kept by podman, docker and their like (containers-auth.json(5), docker's config.json): read, in their order, and never written
 * here. A file has `auths` (base64 of user:password, or an identity token), `credHelpers` for single registries, and `credsStore`, all
 * others' helper.
 */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { tsrunError } from '../errors.ts';
import { askCredentialHelper } from './credential-helper.ts';

export type Credentials = { username: string; password: string } | { identityToken: string };

interface AuthEntry {
  auth?: string;
  username?: string;
  password?: string;
  identitytoken?: string;
}

interface AuthFile {
  auths?: Record<string, AuthEntry>;
  credHelpers?: Record<string, string>;
  credsStore?: string;
}

/** The files that may hold logins, in the order in which they count. `$REGISTRY_AUTH_FILE` stands alone. */
export function authFilePaths(environment: NodeJS.ProcessEnv): string[] {
  if (environment.REGISTRY_AUTH_FILE) return [environment.REGISTRY_AUTH_FILE];
  const home = environment.HOME || homedir();
  const runtime = environment.XDG_RUNTIME_DIR
    ? [join(environment.XDG_RUNTIME_DIR, 'containers', 'auth.json')]
    : [];
  return [
    ...runtime,
    join(environment.XDG_CONFIG_HOME || join(home, '.config'), 'containers', 'auth.json'),
    join(environment.DOCKER_CONFIG || join(home, '.docker'), 'config.json'),
  ];
}

/** The key of docker.io in docker's files, from the time of its first API. */
const DOCKER_IO_KEY = 'https://index.docker.io/v1/';

/** `https://index.docker.io/v1/` → `docker.io`; other keys lose scheme and API version. */
function normalizeKey(key: string): string {
  const name = key.replace(/^https?:\/\//, '').replace(/\/(?:v1|v2)?\/?$/, '');
  return name === 'index.docker.io' || name === 'registry-1.docker.io' ? 'docker.io' : name;
}

function readAuthFile(path: string): AuthFile | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw tsrunError('ERR_TSRUN_CREDENTIALS', { source: path, problem: 'it cannot be read' }, error);
  }
  if (text.trim() === '') return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as AuthFile;
  } catch {
    // The parser's message quotes the text, which holds passwords: it is not passed on.
  }
  throw tsrunError('ERR_TSRUN_CREDENTIALS', { source: path, problem: 'it is not a JSON object' });
}

function decodeEntry(entry: AuthEntry, path: string): Credentials | undefined {
  if (entry.identitytoken) return { identityToken: entry.identitytoken };
  if (entry.username && entry.password) return { username: entry.username, password: entry.password };
  if (!entry.auth) return undefined; // docker leaves {} where a helper has the password
  const text = Buffer.from(entry.auth, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon < 1) {
    throw tsrunError('ERR_TSRUN_CREDENTIALS', {
      source: path,
      problem: 'an "auth" is not base64 of user:password',
    });
  }
  return { username: text.slice(0, colon), password: text.slice(colon + 1).replace(/\0+$/, '') };
}

/** `quay.io/a/b`, `quay.io/a`, `quay.io`: an entry for a part of a registry counts before that for the whole. */
function keysFor(registry: string, repository: string): string[] {
  const parts = [registry, ...repository.split('/')];
  return parts.map((_, i) => parts.slice(0, parts.length - i).join('/'));
}

/** Entries and helpers are matched by what their keys mean, not by how they are spelled. */
function lookUp<T>(table: Record<string, T> | undefined, wanted: string): T | undefined {
  return Object.entries(table ?? {}).find(([key]) => normalizeKey(key) === wanted)?.[1];
}

async function findInFile(
  path: string,
  registry: string,
  repository: string,
): Promise<Credentials | undefined> {
  const file = readAuthFile(path);
  if (file === undefined) return undefined;
  const serverUrl = registry === 'docker.io' ? DOCKER_IO_KEY : registry;
  const helper = lookUp(file.credHelpers, registry);
  if (helper) return askCredentialHelper(helper, serverUrl);
  for (const key of keysFor(registry, repository)) {
    const entry = lookUp(file.auths, key);
    const credentials = entry && decodeEntry(entry, path);
    if (credentials !== undefined) return credentials;
  }
  return file.credsStore ? askCredentialHelper(file.credsStore, serverUrl) : undefined;
}

/**
 * The login for a repository; undefined when no file has one.
 * Throws ERR_TSRUN_CREDENTIALS when a file or a helper is there but does not work.
 */
export async function findCredentials(
  registry: string,
  repository: string,
  environment: NodeJS.ProcessEnv,
): Promise<Credentials | undefined> {
  for (const path of authFilePaths(environment)) {
    const credentials = await findInFile(path, registry, repository);
    if (credentials !== undefined) return credentials;
  }
  return undefined;
}
