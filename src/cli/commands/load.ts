import { LOCAL_STATUS_WORDS } from '../../image/progress/format.ts';
import { defineCommand } from '../command.ts';
import { asWritten, flag, value } from '../options/option.ts';
import { POLICY_OPTION } from '../options/registry-options.ts';
import { print } from '../output.ts';
import { usageError } from '../parse/usage.ts';
import { pullProgress } from '../pull-progress.ts';

export const LOAD = defineCommand({
  usage: '',
  operands: [0, 0],
  text: 'Reads images from an archive of docker, podman or skopeo (docker-archive, oci-archive; plain, or compressed by gzip, zstd, xz or bzip2), or from a directory (OCI layout, dir), and prints their names.',
  options: {
    ...POLICY_OPTION,
    input: value(
      'FILE',
      'Read FILE (or a directory, or a URL of http or https) instead of stdin',
      asWritten,
      {
        short: 'i',
        example: '-i httpd.tar',
      },
    ),
    platform: value('PLATFORM', 'Of an image for several platforms, take this one', asWritten, {
      example: '--platform linux/arm64',
    }),
    quiet: flag('Show no progress', { short: 'q' }),
  },
  examples: ['tsrun load -i httpd.tar', 'tsrun load < httpd.tar.gz'],
  async run(given, _operands, context) {
    const path = given.input === '-' ? undefined : given.input;
    const { isatty } = await import('node:tty');
    if (path === undefined && isatty(0))
      throw usageError('there is no archive on stdin', 'tsrun load -i FILE');
    const engine = await context.engine();
    const { loadArchive } = await import('../../engine/load-archive.ts');
    using progress = pullProgress(given.quiet ? 'quiet' : 'auto', LOCAL_STATUS_WORDS);
    const options = {
      path,
      platform: given.platform,
      signaturePolicy: given['signature-policy'],
      onEvent: progress.listen,
    };
    for await (const { record, names } of loadArchive(engine, options)) {
      progress.settle();
      const loaded = names.length > 0 ? names : [record.imageId];
      print(loaded.map((name) => `Loaded image: ${name}\n`).join(''));
    }
    return 0;
  },
});
