import { defineCommand } from '../command.ts';
import { outline } from '../format/outline.ts';
import { executeTemplate } from '../format/template/execute.ts';
import { parseTemplate } from '../format/template/parse.ts';
import { asWritten, value } from '../options/option.ts';
import { print } from '../output.ts';
import { version } from '../version.ts';

export const INFO = defineCommand({
  usage: '',
  operands: [0, 0],
  text: 'Describes the store, which drivers are used and why, and what this machine offers.',
  options: {
    format: value('FORMAT', 'json, or a Go template', asWritten, {
      short: 'f',
      example: `-f '{{.store.driver}}'`,
    }),
  },
  examples: ['tsrun info'],
  async run(given, _operands, context) {
    const engine = await context.engine();
    const { describeEngine } = await import('../../engine/describe-engine.ts');
    const info = { version: version(), ...(await describeEngine(engine)) };
    if (given.format === undefined) print(outline(info));
    else if (given.format === 'json') print(`${JSON.stringify(info, undefined, 2)}\n`);
    else print(`${executeTemplate(parseTemplate(given.format), info)}\n`);
    return 0;
  },
});
