import { chmodSync, lstatSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { findCredentials } from '../../../src/registry/auth-files.ts';
import { storeWithHelper } from '../../../src/registry/credential-helper.ts';
import {
  keeperOf,
  type Login,
  removeAllLogins,
  removeHelperLogins,
  removeLogin,
  saveLogin as saveWith,
} from '../../../src/registry/save-login.ts';
import { temporaryDirectoryForTest } from '../../support/temporary-store.ts';

const LOGIN = { username: 'me', password: 'a:b c' };
/** @returns the helper that has it, if one has */
const saveLogin = async (file: string, key: string, login: Login): Promise<string | undefined> => {
  const keeper = keeperOf(file, key);
  await saveWith(keeper, key, login);
  return keeper.helper;
};
const read = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8'));
const find = (file: string, registry: string, repository = 'a') =>
  findCredentials(registry, repository, {}, file);

/** A helper that keeps logins in files of its directory, and is on the PATH until the test ends. */
function installHelper(): { directory: string; name: string } {
  const directory = temporaryDirectoryForTest();
  const script = `#!/bin/sh
cd "${directory}" || exit 1
name() { echo "$1" | tr -c 'a-zA-Z0-9\\n' _; }
case $1 in
store) read json; url=$(echo "$json" | sed 's/.*"ServerURL":"\\([^"]*\\)".*/\\1/'); echo "$json" > "$(name "$url").login";;
get) read url; [ -e "$(name "$url").login" ] || { echo "credentials not found in native keychain"; exit 1; }; cat "$(name "$url").login";;
erase) read url; rm "$(name "$url").login";;
list) echo '{"https://index.docker.io/v1/":"me"}';;
esac
`;
  writeFileSync(join(directory, 'docker-credential-files'), script);
  chmodSync(join(directory, 'docker-credential-files'), 0o755);
  const path = process.env.PATH;
  process.env.PATH = `${directory}:${path}`;
  onTestFinished(() => {
    process.env.PATH = path;
  });
  return { directory, name: 'files' };
}

test('a login is kept where only the user can read it, and found again', async () => {
  const file = join(temporaryDirectoryForTest(), 'containers', 'auth.json');
  expect(await saveLogin(file, '127.0.0.1:5000', LOGIN)).toBeUndefined();
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(await find(file, '127.0.0.1:5000')).toEqual(LOGIN);
});

test("what others have written stays, and so does the file's place", async () => {
  const directory = temporaryDirectoryForTest();
  const real = join(directory, 'elsewhere.json');
  const file = join(directory, 'auth.json');
  writeFileSync(real, '{"auths":{"other.io":{"auth":"eDp5"}},"detachKeys":"ctrl-x"}', { mode: 0o644 });
  symlinkSync(real, file);
  await saveLogin(file, 'quay.io/team', LOGIN);
  expect(lstatSync(file).isSymbolicLink()).toBe(true);
  expect(statSync(real).mode & 0o777).toBe(0o600);
  expect(read(real)).toEqual({
    auths: { 'other.io': { auth: 'eDp5' }, 'quay.io/team': { auth: btoa('me:a:b c') } },
    detachKeys: 'ctrl-x',
  });
  expect(await find(file, 'quay.io', 'team/app')).toEqual(LOGIN);
  expect(await find(file, 'quay.io', 'others/app')).toBeUndefined();
});

test('a new login takes the place of the old one, however that is spelled', async () => {
  const file = join(temporaryDirectoryForTest(), 'config.json');
  writeFileSync(file, '{"auths":{"https://index.docker.io/v1/":{"auth":"eDp5"}}}');
  await saveLogin(file, 'docker.io', LOGIN);
  expect(read(file)).toEqual({ auths: { 'docker.io': { auth: btoa('me:a:b c') } } });
});

test('logins at the same time are all kept', async () => {
  const file = join(temporaryDirectoryForTest(), 'auth.json');
  const registries = Array.from({ length: 10 }, (_, i) => `r${i}.test`);
  await Promise.all(registries.map((registry) => saveLogin(file, registry, LOGIN)));
  expect(Object.keys((read(file) as { auths: object }).auths).sort()).toEqual(registries);
});

test('a file that is no JSON is neither used nor lost', async () => {
  const file = join(temporaryDirectoryForTest(), 'auth.json');
  writeFileSync(file, '{"auths": secret');
  await expect(saveLogin(file, 'a.io', LOGIN)).rejects.toMatchObject({ code: 'ERR_TSRUN_CREDENTIALS' });
  expect(readFileSync(file, 'utf8')).toBe('{"auths": secret');
});

test('a directory that cannot be written is named, and no password with it', async () => {
  const blocked = join(temporaryDirectoryForTest(), 'file');
  writeFileSync(blocked, '');
  const path = join(blocked, 'auth.json');
  const error = await saveLogin(path, 'a.io', LOGIN).catch((e: Error) => e);
  expect(error).toMatchObject({
    code: 'ERR_TSRUN_CREDENTIALS',
    message: `cannot use the logins of ${path}: it cannot be written`,
  });
  expect(`${JSON.stringify(error)}${(error as Error).stack}`).not.toContain(LOGIN.password);
});

test('logging out', async () => {
  const file = join(temporaryDirectoryForTest(), 'auth.json');
  await saveLogin(file, 'a.io', LOGIN);
  await saveLogin(file, 'b.io', LOGIN);
  expect(await removeLogin(file, 'a.io')).toBe(true);
  expect(await removeLogin(file, 'a.io')).toBe(false);
  expect(await find(file, 'b.io')).toEqual(LOGIN);
  await removeAllLogins(file);
  expect(read(file)).toEqual({ auths: {} });
});

test('the helper that the file names gets the password, and the file does not', async () => {
  const { directory, name } = installHelper();
  const file = join(temporaryDirectoryForTest(), 'auth.json');
  mkdirSync(join(directory, 'x'));
  writeFileSync(file, JSON.stringify({ credsStore: name, auths: { 'docker.io': { auth: 'eDp5' } } }));
  expect(await saveLogin(file, 'docker.io', LOGIN)).toBe(name);
  expect(read(file)).toEqual({ credsStore: name, auths: {} });
  expect(await find(file, 'docker.io')).toEqual(LOGIN);
  expect(await removeLogin(file, 'docker.io')).toBe(true);
  expect(await removeLogin(file, 'docker.io')).toBe(false);
  await saveLogin(file, 'docker.io', LOGIN);
  await removeAllLogins(file);
  expect(await find(file, 'docker.io')).toBeUndefined();
});

test('a part of a registry is not given to a helper, which nobody would ask for it', async () => {
  const { name } = installHelper();
  const file = join(temporaryDirectoryForTest(), 'auth.json');
  const refused = {
    code: 'ERR_TSRUN_CREDENTIALS',
    message: expect.stringContaining('quay.io/team is a part'),
  };
  expect(() => keeperOf(file, 'quay.io/team', name)).toThrow(expect.objectContaining(refused));
  writeFileSync(file, JSON.stringify({ credHelpers: { 'quay.io': name } }));
  await expect(saveLogin(file, 'quay.io/team', LOGIN)).rejects.toMatchObject(refused);
  expect(await saveLogin(file, 'other.io/team', LOGIN)).toBeUndefined();
  expect(await find(file, 'other.io', 'team/app')).toEqual(LOGIN);
});

test("registries.conf's credential-helpers are asked in their order, the files where it says so", async () => {
  const { name } = installHelper();
  const HOME = temporaryDirectoryForTest();
  const configuration = join(HOME, '.config', 'containers');
  mkdirSync(configuration, { recursive: true });
  await saveLogin(join(configuration, 'auth.json'), 'both.io', { username: 'file', password: 'f' });
  await saveLogin(join(configuration, 'auth.json'), 'file.io', { username: 'file', password: 'f' });
  await storeWithHelper(name, 'both.io', { username: 'helper', password: 'h' });
  const who = async (helpers: string, registry: string): Promise<string | undefined> => {
    writeFileSync(join(configuration, 'registries.conf'), `credential-helpers = ${helpers}\n`);
    const found = await findCredentials(registry, 'a', { HOME });
    return found === undefined ? undefined : 'username' in found ? found.username : '<token>';
  };
  expect(await who('[]', 'both.io')).toBe('file');
  expect(await who('["files"]', 'both.io')).toBe('helper');
  expect(await who('["files"]', 'file.io')).toBeUndefined();
  expect(await who('["files", "containers-auth.json"]', 'file.io')).toBe('file');
  expect(await who('["containers-auth.json", "files"]', 'both.io')).toBe('file');
  await expect(who('["not-installed-anywhere"]', 'both.io')).rejects.toMatchObject({
    code: 'ERR_TSRUN_CREDENTIALS',
  });
  expect(await findCredentials('both.io', 'a', { HOME }, join(configuration, 'auth.json'))).toMatchObject({
    username: 'file',
  });
  expect(await removeHelperLogins([name], 'both.io')).toBe(true);
  expect(await removeHelperLogins([name], 'both.io')).toBe(false);
});
