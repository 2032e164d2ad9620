import { DEFAULT_TOP, TOP_COLUMNS } from '../../engine/container-processes.ts';
import { defineCommand } from '../command.ts';
import { formatTable } from '../format/table.ts';
import { flag } from '../options/option.ts';
import { print } from '../output.ts';
import { usageError } from '../parse/usage.ts';
import { LATEST_OPTION, selectContainers } from '../select-containers.ts';

/** `pid,user`, `pid user`, `-o pid,user`, `-eo pid,user`. Throws ERR_TSRUN_USAGE. */
function descriptorsOf(words: readonly string[]): string[] {
  const wanted = words
    .filter((word) => !/^-[eA]*o$/.test(word))
    .flatMap((word) => word.split(/[,\s]+/))
    .filter((word) => word !== '');
  const unknown = wanted.find((word) => !Object.hasOwn(TOP_COLUMNS, word));
  if (unknown === undefined) return wanted.length > 0 ? wanted : DEFAULT_TOP;
  throw usageError(
    `tsrun top has no column "${unknown}"; there are ${Object.keys(TOP_COLUMNS).join(', ')}`,
    'tsrun top CONTAINER pid huser args   # or the image’s own: tsrun exec CONTAINER ps aux',
  );
}

export const TOP = defineCommand({
  usage: '[CONTAINER] [COLUMN…]',
  operands: [0, Number.POSITIVE_INFINITY],
  text:
    "Lists the processes of a container; its image needs no ps. Ids are the container's own; huser, hgroup and hpid are those of this " +
    `machine. Columns are ${Object.keys(TOP_COLUMNS).join(', ')}.`,
  options: { ...LATEST_OPTION, 'list-descriptors': flag('Print the names of the columns') },
  optionsEndAtOperand: true,
  examples: ['tsrun top web', 'tsrun top web pid hpid huser args'],
  async run(given, operands, context) {
    if (given['list-descriptors']) {
      print(`${Object.keys(TOP_COLUMNS).join('\n')}\n`);
      return 0;
    }
    const names = given.latest ? [] : operands.slice(0, 1);
    const descriptors = descriptorsOf(given.latest ? operands : operands.slice(1));
    const engine = await context.engine();
    const { containerProcesses } = await import('../../engine/container-processes.ts');
    const [find] = await selectContainers(engine, names, given);
    if (find) print(formatTable(containerProcesses(engine, find(), descriptors)));
    return 0;
  },
});
