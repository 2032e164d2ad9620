import { tsrunError } from '../../errors.ts';
import { defineCommand } from '../command.ts';
import { flag } from '../options/option.ts';
import { AUTHFILE_OPTION } from '../options/registry-options.ts';
import { print } from '../output.ts';
import { parseRegistryKey } from '../parse/registry-key.ts';
import { usageError } from '../parse/usage.ts';

export const LOGOUT = defineCommand({
  usage: '[REGISTRY]',
  operands: [0, 1],
  text:
    "Forgets the login for a registry, docker.io if none is named, that `tsrun login` or `podman login` has kept. Docker's own file is " +
    'left alone unless --authfile names it.',
  options: {
    ...AUTHFILE_OPTION,
    all: flag('Forget all logins of the file, and of the credential helpers that it names', { short: 'a' }),
  },
  unsupported: { 'compat-auth-file': 'tsrun logout --authfile ~/.docker/config.json' },
  examples: ['tsrun logout quay.io', 'tsrun logout --all'],
  async run(given, [written], _context) {
    if (given.all && written !== undefined) throw usageError('--all and a registry contradict each other');
    const { authFilePaths, defaultAuthFile } = await import('../../registry/auth-files.ts');
    const { emptyHelper, holderOf, removeAllLogins, removeHelperLogins, removeLogin } = await import(
      '../../registry/save-login.ts'
    );
    const { AUTH_FILES_HELPER, credentialHelpers } = await import('../../registry/read-registries-conf.ts');
    const named = given.authfile === undefined ? await credentialHelpers(process.env) : [];
    const helpers = named.filter((helper) => helper !== AUTH_FILES_HELPER);
    const file = given.authfile ?? defaultAuthFile(process.env);
    if (given.all) {
      await removeAllLogins(file);
      for (const helper of helpers) await emptyHelper(helper);
      print('Removed login credentials for all registries\n');
      return 0;
    }
    const key = parseRegistryKey(written);
    const isRemoved = await removeLogin(file, key);
    if (!(await removeHelperLogins(helpers, key)) && !isRemoved) {
      const others = given.authfile === undefined ? authFilePaths(process.env) : [];
      throw tsrunError('ERR_TSRUN_NOT_LOGGED_IN', { registry: key, elsewhere: holderOf(key, others) });
    }
    print(`Removed login credentials for ${key}\n`);
    return 0;
  },
});
