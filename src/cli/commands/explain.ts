import { NO_STREAMS } from '../../supervisor/messages.ts';
import { type Command, defineCommand } from '../command.ts';
import { CREATE_OPTIONS, createRequest, RUN_OPTIONS } from '../options/create-options.ts';
import { type Values, value } from '../options/option.ts';
import { print } from '../output.ts';
import { usageError } from '../parse/usage.ts';
import { parseWords } from '../parse/words.ts';
import { oneOf } from '../parse/words-of-choice.ts';
import { CREATE } from './create.ts';
import { attachedStreams, RUN } from './run.ts';

const HINT = 'tsrun explain run -p 8000:80 httpd';

type Words = readonly string[];

const rulesOf = (verb: string, { unsupported = {} }: Pick<Command, 'unsupported'>) => ({
  command: `tsrun ${verb}`,
  optionsEndAtOperand: true,
  unsupported,
});

/** Options for what explaining has no part in: refused, not ignored. */
const OF_A_START = ['cidfile', 'pidfile', 'conmon-pidfile', 'preserve-fds', 'trace'] as const;

function refuseStartOptions(values: Partial<Values<typeof RUN_OPTIONS>>): void {
  for (const option of OF_A_START)
    if (values[option]) throw usageError(`--${option} has no effect: explain makes and starts nothing`, HINT);
}

/** What `run` with these words would make. Throws ERR_TSRUN_USAGE. */
async function parseRun(words: Words) {
  const { values, operands, help } = await parseWords(RUN_OPTIONS, words, rulesOf('run', RUN));
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
    refuseStartOptions(values);
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
