import { LOCAL_STATUS_WORDS } from '../../image/progress/format.ts';
import { hostPlatform } from '../../spec/platform.ts';
import { defineCommand } from '../command.ts';
import { asWritten, flag, list, value } from '../options/option.ts';
import { POLICY_OPTION } from '../options/registry-options.ts';
import { print } from '../output.ts';
import { parseImageTarget } from '../parse/image-target.ts';
import { usageError } from '../parse/usage.ts';
import { pullProgress } from '../pull-progress.ts';

export const IMPORT = defineCommand({
  usage: 'FILE|URL|- [NAME[:TAG]]',
  operands: [1, 2],
  text: 'Makes an image of the archive of a root file system (tar, plain or compressed by gzip, zstd, xz or bzip2), and prints its id.',
  options: {
    ...POLICY_OPTION,
    arch: value('ARCHITECTURE', 'The architecture that it is for, instead of this machine’s', asWritten),
    change: list(
      'INSTRUCTION',
      'Apply an instruction of a Dockerfile: CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, …',
      asWritten,
      {
        short: 'c',
        example: `-c 'CMD ["/bin/sh"]'`,
      },
    ),
    message: value('TEXT', 'The comment of its history', asWritten, { short: 'm' }),
    os: value('OS', 'The operating system that it is for', asWritten, { default: 'linux' }),
    quiet: flag('Show no progress', { short: 'q' }),
    variant: value('VARIANT', 'The variant of its architecture', asWritten),
  },
  unsupported: { platform: '--os OS --arch ARCHITECTURE --variant VARIANT' },
  examples: [
    `tsrun import -c 'CMD ["/bin/sh"]' rootfs.tar mine`,
    'curl https://example.com/rootfs.tar | tsrun import - mine',
  ],
  async run(given, [source = '', name], context) {
    const { isatty } = await import('node:tty');
    if (source === '-' && isatty(0))
      throw usageError('there is no archive on stdin', 'tsrun import FILE NAME');
    const engine = await context.engine();
    const { importImage } = await import('../../engine/import-image.ts');
    using progress = pullProgress(given.quiet ? 'quiet' : 'auto', LOCAL_STATUS_WORDS);
    const { os, architecture } = hostPlatform(process.arch);
    const { imageId } = await importImage(engine, {
      source,
      name: name === undefined ? undefined : parseImageTarget(name),
      changes: given.change,
      message: given.message,
      platform: {
        os: given.os ?? os,
        architecture: given.arch ?? architecture,
        ...(given.variant !== undefined && { variant: given.variant }),
      },
      signaturePolicy: given['signature-policy'],
      onEvent: progress.listen,
    });
    progress.settle();
    print(`${imageId}\n`);
    return 0;
  },
});
