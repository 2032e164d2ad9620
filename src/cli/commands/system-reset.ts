import { defineCommand } from '../command.ts';
import { confirm } from '../confirm.ts';
import { flag } from '../options/option.ts';
import { say } from '../output.ts';

export const SYSTEM_RESET = defineCommand({
  usage: '',
  operands: [0, 0],
  text: 'Ends all containers and removes everything that tsrun keeps for this user: containers, images, volumes. Works whatever state the store is in.',
  options: { force: flag('Do not ask', { short: 'f' }) },
  examples: ['tsrun system reset', 'tsrun system reset -f'],
  async run(given, _operands, context) {
    const engine = await context.engine();
    const question = `This ends all containers, and removes them, all images and all volumes in ${engine.paths.root}. Go on?`;
    if (!given.force && !confirm(question)) return 0;
    const { resetStore } = await import('../../engine/reset.ts');
    const left = await resetStore(engine);
    if (left.length > 0)
      say(
        `tsrun: warning: ${engine.paths.root} also holds what is not tsrun's, and was left alone: ${left.join(', ')}\n`,
      );
    return 0;
  },
});
