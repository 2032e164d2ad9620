import { writeFileSync } from 'node:fs';
import { LOCAL_STATUS_WORDS } from '../../image/progress/format.ts';
import { defineCommand } from '../command.ts';
import { asWritten, flag, list, value } from '../options/option.ts';
import { print } from '../output.ts';
import { parseImageTarget } from '../parse/image-target.ts';
import { nonEmpty, oneOf } from '../parse/words-of-choice.ts';
import { pullProgress } from '../pull-progress.ts';

export const COMMIT = defineCommand({
  usage: 'CONTAINER [NAME[:TAG]]',
  operands: [1, 2],
  text: "Makes an image of a container: its image's layers, what it has changed on top, and its settings. Prints the id of the image. What is in volumes is no part of it.",
  options: {
    author: value('NAME', 'Who has made it', asWritten, { short: 'a' }),
    change: list(
      'INSTRUCTION',
      'Apply an instruction of a Dockerfile: CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, …',
      asWritten,
      {
        short: 'c',
        example: `-c 'CMD ["/bin/sh"]'`,
      },
    ),
    format: value('FORMAT', 'There is one: oci', oneOf('--format', ['oci']), { short: 'f', default: 'oci' }),
    iidfile: value('FILE', 'Write the id of the image to a file', nonEmpty('--iidfile')),
    'include-volumes': flag('Its volumes become volumes of the image, empty'),
    message: value('TEXT', 'The comment of its history', asWritten, { short: 'm' }),
    pause: flag('Pause the container while its files are read', { short: 'p' }),
    quiet: flag('Show no progress', { short: 'q' }),
    squash: flag("One layer with all files, instead of one on top of the image's", { short: 's' }),
  },
  unsupported: { config: 'tsrun commit --change INSTRUCTION' },
  examples: [`tsrun commit -m 'with a page' web mine:1`],
  async run(given, [name = '', target], context) {
    const reference = target === undefined ? undefined : parseImageTarget(target);
    const engine = await context.engine();
    const { findContainer } = await import('../../engine/container-view.ts');
    const { commitContainer } = await import('../../engine/commit-container.ts');
    using progress = pullProgress(given.quiet ? 'quiet' : 'auto', LOCAL_STATUS_WORDS);
    const { imageId } = await commitContainer(engine, findContainer(engine, name), {
      name: reference,
      changes: given.change,
      message: given.message,
      author: given.author,
      pause: given.pause,
      squash: given.squash,
      includeVolumes: given['include-volumes'],
      onEvent: progress.listen,
    });
    progress.settle();
    if (given.iidfile !== undefined) writeFileSync(given.iidfile, imageId);
    print(`${imageId}\n`);
    return 0;
  },
});
