import { defineCommand } from '../command.ts';
import { value } from '../options/option.ts';
import { REGISTRY_OPTIONS, registryAccess } from '../options/registry-options.ts';
import { print } from '../output.ts';
import { parseRepository } from '../parse/repository.ts';
import { oneOf } from '../parse/words-of-choice.ts';

export const LIST_TAGS = defineCommand({
  usage: 'NAME',
  operands: [1, 1],
  text: 'Prints the tags that an image has at its registry, one on each line. Nothing is fetched.',
  options: {
    ...REGISTRY_OPTIONS,
    format: value('FORMAT', "text, or json: one object, as skopeo's", oneOf('--format', ['text', 'json']), {
      default: 'text',
    }),
  },
  examples: ['tsrun list-tags docker.io/library/httpd'],
  async run(given, [name = ''], _context) {
    const { remoteTags } = await import('../../image/remote-tags.ts');
    const { repository, tags } = await remoteTags(parseRepository(name), registryAccess(given));
    print(
      given.format === 'json'
        ? `${JSON.stringify({ Repository: repository, Tags: tags }, undefined, 4)}\n`
        : tags.map((tag) => `${tag}\n`).join(''),
    );
    return 0;
  },
});
