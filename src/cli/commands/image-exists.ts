import { defineCommand } from '../command.ts';

export const IMAGE_EXISTS = defineCommand({
  usage: 'IMAGE',
  operands: [1, 1],
  text: 'Exits with 0 if there is an image of that name or id in the store, and with 1 if there is none.',
  options: {},
  examples: ['tsrun image exists httpd'],
  async run(_given, [name = ''], context) {
    const { images } = await context.engine();
    return images.resolve(name) ? 0 : 1;
  },
});
