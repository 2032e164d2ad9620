import { defineCommand } from '../command.ts';

export const VOLUME_EXISTS = defineCommand({
  usage: 'VOLUME',
  operands: [1, 1],
  text: 'Exits with 0 if there is a volume of that name, and with 1 if there is none.',
  options: {},
  examples: ['tsrun volume exists data'],
  async run(_given, [name = ''], context) {
    const { paths } = await context.engine();
    const { readVolume } = await import('../../store/volumes.ts');
    return readVolume(paths, name) ? 0 : 1;
  },
});
