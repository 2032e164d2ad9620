/**
 * One file of logins (containers-auth.json(5), docker's config.json): `auths` (base64 of user:password, or an identity token),
 * `credHelpers` for single registries, and `credsStore`, all others' helper.
 */
import { readFileSync } from 'node:fs';
import { tsrunError } from '../errors.ts';

export type Credentials = { username: string; password: string } | { identityToken: string };

interface AuthEntry {
  auth?: string;
  username?: string;
  password?: string;
  identitytoken?: string;
}

export interface AuthFile {
  auths?: Record<string, AuthEntry>;
  credHelpers?: Record<string, string>;
  credsStore?: string;
}

/** The key of docker.io in docker's files, from the time of its first API. */
const DOCKER_IO_KEY = 'https://index.docker.io/v1/';

/** `https://index.docker.io/v1/` → `docker.io`; other keys lose scheme and API version. */
export function normalizeKey(key: string): string {
  const name = key.replace(/^https?:\/\//, '').replace(/\/(?:v1|v2)?\/?$/, '');
  return name === 'index.docker.io' || name === 'registry-1.docker.io' ? 'docker.io' : name;
}

/** Undefined when there is no such file, or nothing in it. Throws ERR_TSRUN_CREDENTIALS. */
export function readAuthFile(path: string): AuthFile | undefined {
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

/** The login of an entry; undefined when it has none. Throws ERR_TSRUN_CREDENTIALS. */
export function decodeEntry(entry: AuthEntry, path: string): Credentials | undefined {
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

/** Entries and helpers are matched by what their keys mean, not by how they are spelled. */
export function lookUp<T>(table: Record<string, T> | undefined, wanted: string): T | undefined {
  return Object.entries(table ?? {}).find(([key]) => normalizeKey(key) === wanted)?.[1];
}

/** What credential helpers know a registry by. */
export const serverUrl = (registry: string): string => (registry === 'docker.io' ? DOCKER_IO_KEY : registry);

/** `quay.io/team` → `quay.io` */
export const registryOf = (key: string): string => key.split('/')[0] ?? key;

/** The helper that keeps the login of `registry` instead of this file: its own, or that for all. */
export function helperFor(file: AuthFile, registry: string): string | undefined {
  return lookUp(file.credHelpers, registry) || file.credsStore || undefined;
}
