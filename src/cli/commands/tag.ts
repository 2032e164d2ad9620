import { defineCommand } from '../command.ts';
import { localImage } from '../image-filter.ts';
import { parseImageTarget } from '../parse/image-target.ts';

export const TAG = defineCommand({
  usage: 'IMAGE NAME[:TAG]…',
  operands: [2, Number.POSITIVE_INFINITY],
  text: 'Gives an image more names. A name that another image has is taken from it.',
  options: {},
  examples: ['tsrun tag httpd localhost:5000/httpd:mine'],
  async run(_given, [name = '', ...targets], context) {
    const engine = await context.engine();
    const record = localImage(engine, name);
    for (const target of targets.map(parseImageTarget)) engine.images.tag(record, target);
    return 0;
  },
});
