import { defineCommand } from '../command.ts';
import { freeSpace } from '../free-space.ts';
import { asWritten, flag, value } from '../options/option.ts';
import { POLICY_OPTION, REGISTRY_OPTIONS, registryAccess } from '../options/registry-options.ts';
import { print } from '../output.ts';
import { usageError } from '../parse/usage.ts';
import { oneOf } from '../parse/words-of-choice.ts';
import { pullProgress } from '../pull-progress.ts';

export const COPY = defineCommand({
  usage: 'FROM TO',
  operands: [2, 2],
  text:
    'Copies an image from one place to another, byte for byte, and prints the digest of its manifest. A place is docker://NAME (a registry), oci:DIRECTORY[:NAME], ' +
    'oci-archive:FILE[:NAME], docker-archive:FILE[:NAME] or dir:DIRECTORY. A layout (oci:) gets the image besides those that it has; other files and directories must be new. Nothing of it stays in the store.',
  options: {
    ...REGISTRY_OPTIONS,
    ...POLICY_OPTION,
    all: flag('All platforms of an image for several, with their index', { short: 'a' }),
    'multi-arch': value(
      'WHICH',
      'system (one platform) or all (as --all)',
      oneOf('--multi-arch', ['system', 'all']),
    ),
    platform: value('PLATFORM', 'Of an image for several platforms, copy this one', asWritten, {
      default: "this machine's",
    }),
    quiet: flag('Show no progress', { short: 'q' }),
  },
  unsupported: {
    format: 'images are copied as they are, so that their digests stay',
    'src-creds': 'tsrun login REGISTRY; --creds is for both',
    'dest-creds': 'tsrun login REGISTRY; --creds is for both',
    'src-tls-verify': '--tls-verify=false is for both; or insecure in registries.conf',
    'dest-tls-verify': '--tls-verify=false is for both; or insecure in registries.conf',
    digestfile: 'tsrun copy -q FROM TO >FILE',
  },
  examples: [
    'tsrun copy docker://docker.io/library/httpd oci:httpd',
    'tsrun copy oci-archive:httpd.tar docker://127.0.0.1:5000/httpd',
    'tsrun copy --all docker://docker.io/library/httpd docker://127.0.0.1:5000/httpd',
  ],
  async run(given, [from = '', to = ''], context) {
    const all = given.all || given['multi-arch'] === 'all';
    if (given.all && given['multi-arch'] === 'system')
      throw usageError('--all and --multi-arch system contradict each other');
    if (all && given.platform !== undefined) throw usageError('--all and --platform contradict each other');
    const engine = await context.engine();
    const { copyImage } = await import('../../engine/copy-image.ts');
    using progress = pullProgress(given.quiet ? 'quiet' : 'auto');
    try {
      const options = {
        platform: given.platform,
        all,
        access: registryAccess(given),
        signaturePolicy: given['signature-policy'],
        onEvent: progress.listen,
      };
      print(`${await copyImage(engine, from, to, options)}\n`);
    } finally {
      await freeSpace(engine);
    }
    return 0;
  },
});
