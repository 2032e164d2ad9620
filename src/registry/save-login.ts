/**
 * Keeping and forgetting logins in one file, beside what else podman or docker have written there.
 *
 * Two logins at the same time are both kept (sys/change-shared-file.ts). Where the file names a helper for the registry, the helper gets
 * the password and the file does not.
 */
import { tsrunError } from '../errors.ts';
import { changeSharedFile } from '../sys/change-shared-file.ts';
import {
  type AuthFile,
  helperFor,
  lookUp,
  normalizeKey,
  readAuthFile,
  registryOf,
  serverUrl,
} from './auth-file.ts';
import { eraseWithHelper, listWithHelper, storeWithHelper } from './credential-helper.ts';

export interface Login {
  username: string;
  password: string;
}

/** Passwords are in it. */
const MODES = { file: 0o600, directory: 0o700 };

/** Changes the file by `change`, which says whether there was anything to change. Throws ERR_TSRUN_CREDENTIALS. */
function changeFile(path: string, change: (file: AuthFile) => boolean): boolean {
  let isChanged = false;
  try {
    changeSharedFile(path, MODES, (target) => {
      const file = readAuthFile(target) ?? {};
      isChanged = change(file);
      return isChanged ? `${JSON.stringify(file, undefined, '\t')}\n` : undefined;
    });
    return isChanged;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    throw tsrunError('ERR_TSRUN_CREDENTIALS', { source: path, problem: 'it cannot be written' }, error);
  }
}

/** Entries that mean `key`, however they are spelled. */
function dropEntries(file: AuthFile, key: string): boolean {
  const found = Object.keys(file.auths ?? {}).filter((each) => normalizeKey(each) === key);
  for (const each of found) delete file.auths?.[each];
  return found.length > 0;
}

/** What keeps a login: a file, or the helper that it or registries.conf names. */
export type Keeper = { file: string; helper?: string } | { helper: string; file?: undefined };

/**
 * What is to keep the login of `key`, a registry or a part of one (`quay.io/team`), if `path` is the file. Throws ERR_TSRUN_CREDENTIALS,
 * also for a part of a registry whose logins a helper has: no client asks a helper for less than a registry.
 * @param named the helper that registries.conf names, if it does
 */
export function keeperOf(path: string, key: string, named?: string): Keeper {
  const helper = named ?? helperFor(readAuthFile(path) ?? {}, registryOf(key));
  if (helper === undefined) return { file: path };
  if (key !== registryOf(key)) {
    const problem = `it keeps logins of whole registries, and ${key} is a part of one`;
    throw tsrunError('ERR_TSRUN_CREDENTIALS', { source: `docker-credential-${helper}`, problem });
  }
  return named === undefined ? { file: path, helper } : { helper };
}

/** Keeps the login of `key`. Throws ERR_TSRUN_CREDENTIALS. */
export async function saveLogin({ file: path, helper }: Keeper, key: string, login: Login): Promise<void> {
  if (helper !== undefined) await storeWithHelper(helper, serverUrl(key), login);
  if (path === undefined) return;
  const auth = Buffer.from(`${login.username}:${login.password}`).toString('base64');
  changeFile(path, (file) => {
    const hadSome = dropEntries(file, key);
    if (helper !== undefined) return hadSome;
    file.auths = { ...file.auths, [key]: { auth } };
    return true;
  });
}

/** Forgets the login of `key`; false when there was none. Throws ERR_TSRUN_CREDENTIALS. */
export async function removeLogin(path: string, key: string): Promise<boolean> {
  const file = readAuthFile(path);
  if (file === undefined) return false;
  const helper = helperFor(file, registryOf(key));
  const isErased = helper !== undefined && (await eraseWithHelper(helper, serverUrl(key)));
  const hasEntry = lookUp(file.auths, key) !== undefined;
  return (hasEntry && changeFile(path, (now) => dropEntries(now, key))) || isErased;
}

/** The first of `paths` that has an entry for `key`. Throws ERR_TSRUN_CREDENTIALS. */
export function holderOf(key: string, paths: readonly string[]): string | undefined {
  return paths.find((path) => lookUp(readAuthFile(path)?.auths, key) !== undefined);
}

/** Forgets the login of `key` that one of registries.conf's credential-helpers keeps; false when none does. Throws ERR_TSRUN_CREDENTIALS. */
export async function removeHelperLogins(helpers: readonly string[], key: string): Promise<boolean> {
  let isErased = false;
  for (const helper of helpers) if (await eraseWithHelper(helper, serverUrl(key))) isErased = true;
  return isErased;
}

/** Forgets all that a helper keeps. Throws ERR_TSRUN_CREDENTIALS. */
export async function emptyHelper(helper: string): Promise<void> {
  for (const server of await listWithHelper(helper)) await eraseWithHelper(helper, server);
}

/** Forgets all logins of the file and of its helpers. Throws ERR_TSRUN_CREDENTIALS. */
export async function removeAllLogins(path: string): Promise<void> {
  const file = readAuthFile(path);
  if (file === undefined) return;
  for (const [registry, helper] of Object.entries(file.credHelpers ?? {})) {
    await eraseWithHelper(helper, serverUrl(normalizeKey(registry)));
  }
  if (file.credsStore) await emptyHelper(file.credsStore);
  changeFile(path, (now) => {
    const hadAny = Object.keys(now.auths ?? {}).length > 0;
    now.auths = {};
    return hadAny;
  });
}
