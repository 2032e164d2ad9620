/** Logging in: a login is tried at the registry before it is kept. Loads undici. */
import { TsrunError, tsrunError } from '../errors.ts';
import { openClient, type RegistryAccess } from './access.ts';
import { type Credentials, registryOf } from './auth-file.ts';
import { defaultAuthFile } from './auth-files.ts';
import { AUTH_FILES_HELPER, credentialHelpers } from './read-registries-conf.ts';
import { accessTo } from './registry-policy.ts';
import { type Keeper, keeperOf, saveLogin } from './save-login.ts';

/**
 * Asks the registry whether it takes a login. Answers false when it asks nobody for one: then nothing is known of it.
 * Throws ERR_TSRUN_LOGIN_REFUSED, ERR_TSRUN_REGISTRY_….
 */
export async function checkLogin(
  registry: string,
  credentials: Credentials,
  access: RegistryAccess,
  existing = false,
): Promise<boolean> {
  const username = 'username' in credentials ? credentials.username : 'an identity token';
  const refused = (cause: unknown): Error =>
    tsrunError('ERR_TSRUN_LOGIN_REFUSED', { registry, username, existing }, cause);
  const client = openClient(registry, { ...(await accessTo(registry, access)), credentials });
  try {
    return await client.retrying(async () => {
      const url = await client.url('/v2/');
      const response = await client.send({ url }, '', []);
      if (response.status !== 200) throw await client.failure(response, '', 'GET /v2/');
      await response.body.dump();
      return client.hasLoggedIn;
    });
  } catch (error) {
    const isRefusal = error instanceof TsrunError && error.code === 'ERR_TSRUN_REGISTRY_DENIED';
    throw isRefusal ? refused(error.cause) : error;
  } finally {
    await client.close();
  }
}

export interface SavedLogin {
  /** The registry took it; false when it asked for none. */
  isVerified: boolean;
  keeper: Keeper;
}

/**
 * Tries a login, and keeps it in `file`, or undefined: with the first of registries.conf's credential-helpers, else in podman's file.
 * `key` is a registry, or a part of one: `quay.io/team`.
 * Throws what checkLogin() throws, and ERR_TSRUN_CREDENTIALS.
 */
export async function login(
  file: string | undefined,
  key: string,
  credentials: { username: string; password: string },
  access: RegistryAccess,
): Promise<SavedLogin> {
  const environment = access.environment ?? process.env;
  const [first] = file === undefined ? await credentialHelpers(environment) : [];
  const named = first === AUTH_FILES_HELPER ? undefined : first;
  const keeper = keeperOf(file ?? defaultAuthFile(environment), key, named);
  const isVerified = await checkLogin(registryOf(key), credentials, access);
  await saveLogin(keeper, key, credentials);
  return { isVerified, keeper };
}
