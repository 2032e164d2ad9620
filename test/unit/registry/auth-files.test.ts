import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { authFilePaths, findCredentials } from '../../../src/registry/auth-files.ts';
import { temporaryDirectoryForTest } from '../../support/temporary-store.ts';

const auth = (login: string) => ({ auth: Buffer.from(login).toString('base64') });

function homeWith(files: Record<string, unknown>): NodeJS.ProcessEnv {
  const home = temporaryDirectoryForTest();
  for (const [name, value] of Object.entries(files)) {
    mkdirSync(dirname(join(home, name)), { recursive: true });
    writeFileSync(join(home, name), typeof value === 'string' ? value : JSON.stringify(value));
  }
  return { HOME: home, XDG_RUNTIME_DIR: join(home, 'run') };
}

test('the files, in their order', () => {
  expect(authFilePaths({ HOME: '/h', XDG_RUNTIME_DIR: '/r' })).toEqual([
    '/r/containers/auth.json',
    '/h/.config/containers/auth.json',
    '/h/.docker/config.json',
  ]);
  expect(authFilePaths({ HOME: '/h', REGISTRY_AUTH_FILE: '/f' })).toEqual(['/f']);
  expect(authFilePaths({ HOME: '/h', XDG_CONFIG_HOME: '/c', DOCKER_CONFIG: '/d' })).toEqual([
    '/c/containers/auth.json',
    '/d/config.json',
  ]);
});

test('the first file that has the registry counts', async () => {
  const environment = homeWith({
    'run/containers/auth.json': { auths: { 'other.io': auth('a:b') } },
    '.config/containers/auth.json': { auths: { 'quay.io': auth('podman:1') } },
    '.docker/config.json': { auths: { 'quay.io': auth('docker:2') } },
  });
  expect(await findCredentials('quay.io', 'a/b', environment)).toEqual({ username: 'podman', password: '1' });
  expect(await findCredentials('nowhere.io', 'a/b', environment)).toBeUndefined();
});

test('the most specific entry counts', async () => {
  const auths = {
    'quay.io': auth('all:x'),
    'quay.io/team': auth('team:x'),
    'quay.io/team/app': auth('app:x'),
  };
  const environment = homeWith({ '.docker/config.json': { auths } });
  const who = async (repository: string) =>
    (await findCredentials('quay.io', repository, environment)) as { username: string };
  expect((await who('team/app')).username).toBe('app');
  expect((await who('team/other')).username).toBe('team');
  expect((await who('teammate/app')).username).toBe('all');
});

test.each([
  'https://index.docker.io/v1/',
  'index.docker.io',
  'docker.io',
  'https://registry-1.docker.io/v2/',
])("docker.io's login under %s", async (key) => {
  const environment = homeWith({ '.docker/config.json': { auths: { [key]: auth('me:pass:word') } } });
  expect(await findCredentials('docker.io', 'library/x', environment)).toEqual({
    username: 'me',
    password: 'pass:word',
  });
});

test('identity tokens, and entries that a helper has taken over', async () => {
  const auths = { 'a.io': { identitytoken: 'id' }, 'b.io': {} };
  const environment = homeWith({ '.docker/config.json': { auths } });
  expect(await findCredentials('a.io', 'x', environment)).toEqual({ identityToken: 'id' });
  expect(await findCredentials('b.io', 'x', environment)).toBeUndefined();
});

test('a damaged file is an error that does not quote it', async () => {
  const environment = homeWith({ '.docker/config.json': '{"auths":{"x":{"auth":"c2VjcmV0"' });
  const error = await findCredentials('x', 'y', environment).catch((e: Error) => e);
  expect(error).toMatchObject({ code: 'ERR_TSRUN_CREDENTIALS' });
  expect((error as Error).cause).toBeUndefined();
  expect(String(error)).not.toContain('c2VjcmV0');
});

test('a helper that is not there is an error', async () => {
  const environment = homeWith({
    '.docker/config.json': { credHelpers: { 'x.io': 'surely-not-installed' } },
  });
  await expect(findCredentials('x.io', 'y', environment)).rejects.toMatchObject({
    message: 'cannot use the logins of docker-credential-surely-not-installed: it cannot be run',
    hint: expect.stringMatching(/^command -v docker-credential-surely-not-installed /),
    cause: { code: expect.stringMatching(/^(?:ENOENT|EACCES)$/) }, // EACCES: $PATH has a directory that is not ours
  });
  expect(await findCredentials('y.io', 'y', environment)).toBeUndefined();
});
