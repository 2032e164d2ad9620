import { existsSync, readFileSync } from 'node:fs';
import { tsrunError } from '../../errors.ts';
import { defineCommand } from '../command.ts';
import { flag, type Values, value } from '../options/option.ts';
import { AUTHFILE_OPTION, registryAccess, TRUST_OPTIONS } from '../options/registry-options.ts';
import { print, say } from '../output.ts';
import { parseRegistryKey } from '../parse/registry-key.ts';
import { usageError } from '../parse/usage.ts';
import { nonEmpty } from '../parse/words-of-choice.ts';
import { ask } from '../prompt.ts';

const OPTIONS = {
  ...TRUST_OPTIONS,
  ...AUTHFILE_OPTION,
  'get-login': flag('Only print who is logged in'),
  password: value('PASSWORD', 'The password; others on this machine can see it in `ps`', (text) => text, {
    short: 'p',
  }),
  'password-stdin': flag('Read the password from stdin'),
  username: value('NAME', 'The user name', nonEmpty('--username'), { short: 'u' }),
  verbose: flag('Say which file the login was put into', { short: 'v' }),
};

type Given = Values<typeof OPTIONS>;

/** The password on stdin, without the line feed that `echo` puts after it. Throws ERR_TSRUN_USAGE. */
function passwordFromStdin(): string {
  const password = readFileSync(0, 'utf8').replace(/\r?\n$/, '');
  if (password === '') throw usageError('--password-stdin: there is nothing on stdin');
  return password;
}

/** Throws ERR_TSRUN_USAGE for what contradicts itself, and where nobody can be asked. */
async function givenLogin(given: Given, key: string): Promise<{ username: string; password: string }> {
  const remedy = `echo "$PASSWORD" | tsrun login -u NAME --password-stdin ${key}`;
  if (given['password-stdin'] && given.password !== undefined)
    throw usageError('--password and --password-stdin contradict each other');
  if (given['password-stdin'] && given.username === undefined)
    throw usageError('--password-stdin needs --username', remedy);
  if (given.password !== undefined)
    say(
      'tsrun: warning: a password among the words of a command can be seen by others: use --password-stdin\n',
    );
  const username = given.username ?? (await ask('Username: ', remedy));
  const password =
    given.password ?? (given['password-stdin'] ? passwordFromStdin() : await ask('Password: ', remedy, true));
  if (username === '' || password === '')
    throw usageError('an empty user name or password is no login', remedy);
  if (username.includes(':')) throw usageError(`a user name cannot hold ":": ${username}`);
  return { username, password };
}

async function findKept(given: Given, key: string) {
  const { findCredentials } = await import('../../registry/auth-files.ts');
  const [registry = '', ...path] = key.split('/');
  return await findCredentials(registry, path.join('/'), process.env, given.authfile);
}

async function printLogin(given: Given, key: string): Promise<number> {
  const kept = await findKept(given, key);
  if (kept === undefined) throw tsrunError('ERR_TSRUN_NOT_LOGGED_IN', { registry: key });
  print(`${'username' in kept ? kept.username : '<token>'}\n`);
  return 0;
}

/** What is kept already, if it is still good: nobody need be asked. */
async function isLoggedIn(given: Given, key: string): Promise<boolean> {
  if (given.username !== undefined || given.password !== undefined || given['password-stdin']) return false;
  if (given.authfile !== undefined && !existsSync(given.authfile)) return false;
  const kept = await findKept(given, key);
  if (kept === undefined) return false;
  const [{ checkLogin }, { registryOf }] = await Promise.all([
    import('../../registry/login.ts'),
    import('../../registry/auth-file.ts'),
  ]);
  try {
    await checkLogin(registryOf(key), kept, registryAccess(given), true);
    return true;
  } catch (error) {
    if (!process.stdin.isTTY) throw error;
    say(`tsrun: warning: ${(error as Error).message}\n`);
    return false;
  }
}

async function logIn(given: Given, key: string): Promise<number> {
  if (await isLoggedIn(given, key)) {
    print(`Existing credentials are valid. Already logged in to ${key}\n`);
    return 0;
  }
  const credentials = await givenLogin(given, key);
  const { login } = await import('../../registry/login.ts');
  const { authfile, ...access } = given;
  const { isVerified, keeper } = await login(authfile, key, credentials, registryAccess(access));
  if (!isVerified) say(`tsrun: warning: ${key} asks nobody for a login: this one could not be tried\n`);
  print('Login Succeeded!\n');
  if (given.verbose)
    print(`Used: ${keeper.helper === undefined ? keeper.file : `docker-credential-${keeper.helper}`}\n`);
  return 0;
}

export const LOGIN = defineCommand({
  usage: '[REGISTRY]',
  operands: [0, 1],
  text:
    "Tries a user name and a password at a registry, docker.io if none is named, and keeps them in podman's file of logins " +
    '($XDG_RUNTIME_DIR/containers/auth.json, or $REGISTRY_AUTH_FILE), or with the credential helper that this file or registries.conf ' +
    'names. REGISTRY may ' +
    'be a part of one, such as quay.io/team. What is not said is asked for.',
  options: OPTIONS,
  unsupported: {
    'compat-auth-file': 'tsrun login --authfile ~/.docker/config.json',
    secret: 'tsrun login --password-stdin <FILE',
  },
  examples: ['tsrun login -u me quay.io', 'tsrun login --get-login quay.io'],
  async run(given, [written], _context) {
    const key = parseRegistryKey(written);
    return given['get-login'] ? await printLogin(given, key) : await logIn(given, key);
  },
});
