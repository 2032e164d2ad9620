import { type Command, defineCommand } from '../command.ts';
import { CREATE_OPTIONS, createRequest, RUN_OPTIONS } from '../options/create-options.ts';
import { value } from '../options/option.ts';
import { print } from '../output.ts';
import { usageError } from '../parse/usage.ts';
import { parseWords } from '../parse/words.ts';
import { oneOf } from '../parse/words-of-choice.ts';
import { CREATE } from './create.ts';
import { attachedStreams, NO_STREAMS, RUN } from './run.ts';

const HINT = 'tsrun explain run -p 8000:80 httpd';

type Words = readonly string[];

const rulesOf = (verb: string, { unsupported = {} }: Pick<Command, 'unsupported'>) => ({
  command: `tsrun ${verb}`,
  optionsEndAtOperand: true,
  unsupported,
});

/** What `run` with these words would make. What explaining has no part in is refused, not ignored. Throws ERR_TSRUN_USAGE. */
async function parseRun(words: Words) {
  const { values, operands, help } = await parseWords(RUN_OPTIONS, words, rulesOf('run', RUN));
  for (const option of ['preserve-fds', 'trace', 'pidfile', 'conmon-pidfile'] as const)
    if (values[option]) throw usageError(`--${option} is of a start, and explain starts nothing`, HINT);
  return { values, operands, help, attach: attachedStreams(values) };
}

/** The same of `create`; what is explained with it is the first `tsrun start`. */
async function parseCreate(words: Words) {
  const parsed = await parseWords(CREATE_OPTIONS, words, rulesOf('create', CREATE));
  return { ...parsed, attach: NO_STREAMS };
}

export const EXPLAIN = defineCommand({
  usage: 'run [OPTION…] IMAGE [COMMAND [ARG…]]',
  operands: [1, Number.POSITIVE_INFINITY],
  text:
    'Prints what `tsrun run` with the same words would do, and does none of it: the image and its layers, the id map, and every system ' +
    'call in order, with who makes it and why. The list is the one that `run` executes.',
  options: {
    format: value(
      'FORMAT',
      'text, json, or sh: a script that makes the same container by hand',
      oneOf('--format', ['text', 'json', 'sh']),
      { default: 'text' },
    ),
  },
  optionsEndAtOperand: true,
  examples: [
    HINT,
    'tsrun explain --format json run --network none busybox true',
    'tsrun explain --format sh run busybox sh >container.sh',
  ],
  async run(given, [verb = '', ...words], context) {
    if (verb !== 'run' && verb !== 'create')
      throw usageError(`"${verb}" cannot be explained; \`run\` can`, HINT);
    const { values, operands, help, attach } = await (verb === 'run' ? parseRun(words) : parseCreate(words));
    const [image, ...command] = operands;
    if (help || image === undefined)
      throw usageError(`tsrun explain ${verb} needs IMAGE [COMMAND [ARG…]]`, HINT);
    const request = createRequest(values, image, command);
    const engine = await context.engine();
    const { planRun } = await import('../../engine/explain.ts');
    const plan = await planRun(engine, request, ['tsrun', verb, ...words], attach);
    if (given.format === 'json') {
      const { printJson } = await import('../../explain/print-json.ts');
      print(printJson(plan));
      return 0;
    }
    if (given.format === 'sh') {
      const { printShell } = await import('../../explain/print-shell.ts');
      print(printShell(plan));
      return 0;
    }
    const [{ printTable }, { styleFor }] = await Promise.all([
      import('../../explain/print-table.ts'),
      import('../../explain/style.ts'),
    ]);
    print(printTable(plan, styleFor(process.stdout)));
    return 0;
  },
});
