import { defineCommand } from '../command.ts';
import { formatList } from '../format/list.ts';
import { localImage } from '../image-filter.ts';
import { HISTORY_HEADINGS, historyRows } from '../image-history.ts';
import { asWritten, flag, value } from '../options/option.ts';
import { print } from '../output.ts';
import { usageError } from '../parse/usage.ts';

export const HISTORY = defineCommand({
  usage: 'IMAGE',
  operands: [1, 1],
  text: 'Prints how an image was made: a line for each step, the last one first. Steps but the last have no id of their own.',
  options: {
    format: value('FORMAT', 'table, json (one object on each line), or a Go template', asWritten, {
      example: `--format '{{.CreatedBy}}'`,
    }),
    human: flag('Sizes and times as people say them', { short: 'H', default: true }),
    'no-trunc': flag('Print ids and commands in full'),
    quiet: flag('Print only ids', { short: 'q' }),
  },
  unsupported: { platform: 'an image of the store is for one platform' },
  examples: ['tsrun history httpd', 'tsrun history --no-trunc httpd'],
  async run(given, [name = ''], context) {
    if (given.quiet && given.format !== undefined)
      throw usageError('--quiet and --format contradict each other');
    const engine = await context.engine();
    const rows = historyRows(engine, localImage(engine, name), {
      noTrunc: given['no-trunc'],
      human: given.human,
      now: Date.now(),
    });
    const columns = ['ID', 'CreatedSince', 'CreatedBy', 'Size', 'Comment'];
    if (given.quiet) print(rows.map((row) => `${row.ID}\n`).join(''));
    else print(formatList(rows, { format: given.format, columns, headings: HISTORY_HEADINGS }));
    return 0;
  },
});
