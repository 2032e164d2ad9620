import type { RegistryAccess } from '../../registry/access.ts';
import { digestHex } from '../../spec/digest.ts';
import { defineCommand } from '../command.ts';
import { PULL_OPTIONS, PULL_POLICIES } from '../options/create-options.ts';
import { flag, value } from '../options/option.ts';
import { PROGRESS_OPTION } from '../options/progress-option.ts';
import { registryAccess } from '../options/registry-options.ts';
import { print } from '../output.ts';
import { chosenPlatform, platformPart } from '../parse/chosen-platform.ts';
import { parseRepository } from '../parse/repository.ts';
import { oneOf } from '../parse/words-of-choice.ts';
import { pullProgress } from '../pull-progress.ts';
import { forEach } from '../select-containers.ts';

/** The names of all that a registry has of an image. Throws ERR_TSRUN_USAGE, ERR_TSRUN_REGISTRY_…. */
async function allTagsOf(name: string, access: RegistryAccess): Promise<string[]> {
  const { remoteTags } = await import('../../image/remote-tags.ts');
  const { repository, tags } = await remoteTags(parseRepository(name), access);
  return tags.map((tag) => `${repository}:${tag}`);
}

export const PULL = defineCommand({
  usage: 'IMAGE…',
  operands: [1, Number.POSITIVE_INFINITY],
  text:
    'Fetches images from their registries into the store, and prints their ids. A pull that was cut goes on where it stopped. IMAGE may also be ' +
    'oci:DIRECTORY[:NAME], oci-archive:FILE[:NAME], docker-archive:FILE[:NAME] or dir:DIRECTORY.',
  options: {
    ...PULL_OPTIONS,
    ...PROGRESS_OPTION,
    arch: value('ARCHITECTURE', 'Of --platform, only the architecture', platformPart('--arch')),
    os: value('OS', 'Of --platform, only the operating system', platformPart('--os')),
    variant: value('VARIANT', 'Of --platform, only the variant', platformPart('--variant')),
    policy: value(
      'WHEN',
      'When to ask the registry: always, missing, never or newer',
      oneOf('--policy', PULL_POLICIES),
      { default: 'always' },
    ),
    'all-tags': flag('All tags that the registry has of the image', { short: 'a' }),
    quiet: flag('Show no progress', { short: 'q' }),
  },
  unsupported: {
    'decryption-key':
      'skopeo copy --decryption-key KEY docker://IMAGE oci:LAYOUT, then tsrun pull oci:LAYOUT',
    'disable-content-trust': 'tsrun pull --signature-policy FILE',
  },
  examples: [
    'tsrun pull docker.io/library/httpd',
    'tsrun pull --all-tags 127.0.0.1:5000/httpd',
    'tsrun pull --platform linux/arm64 127.0.0.1:5000/httpd',
  ],
  async run(given, names, context) {
    const platform = chosenPlatform(given);
    const engine = await context.engine();
    const { findImage } = await import('../../engine/find-image.ts');
    const wanted: string[] = [];
    const listed = await forEach(names, context.debug, async (name) => {
      wanted.push(...(given['all-tags'] ? await allTagsOf(name, registryAccess(given)) : [name]));
    });
    const pulled = await forEach(wanted, context.debug, async (name) => {
      using progress = pullProgress(given.quiet ? 'quiet' : (given.progress ?? 'auto'));
      const record = await findImage(engine, name, {
        policy: given.policy ?? 'always',
        platform,
        access: registryAccess(given),
        signaturePolicy: given['signature-policy'],
        strictNames: given['strict-names'],
        onEvent: progress.listen,
      });
      progress.settle();
      print(`${digestHex(record.imageId)}\n`);
    });
    return listed || pulled;
  },
});
