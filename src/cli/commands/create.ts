import { existsSync } from 'node:fs';
import { defineCommand } from '../command.ts';
import { CREATE_OPTIONS, createRequest } from '../options/create-options.ts';
import { UNSUPPORTED_CREATE_OPTIONS } from '../options/unsupported.ts';
import { print } from '../output.ts';
import { usageError } from '../parse/usage.ts';
import { pullProgress } from '../pull-progress.ts';
import { requireWritable } from '../require-writable.ts';

/** A cidfile of an earlier container may still be in use. Throws ERR_TSRUN_USAGE, ERR_TSRUN_OUTPUT_FILE. */
export function requireNewCidfile(path: string | undefined): void {
  if (path === undefined) return;
  if (existsSync(path)) throw usageError(`--cidfile ${path}: the file is there already`, `rm ${path}`);
  requireWritable(path);
}

export const CREATE = defineCommand({
  usage: 'IMAGE [COMMAND [ARG…]]',
  operands: [1, Number.POSITIVE_INFINITY],
  text: 'Makes a container as `tsrun run` does, without starting it, and prints its id.',
  options: CREATE_OPTIONS,
  optionsEndAtOperand: true,
  unsupported: {
    ...UNSUPPORTED_CREATE_OPTIONS,
    attach: 'tsrun start -a CONTAINER',
    a: 'tsrun start -a CONTAINER',
    'preserve-fds': 'tsrun run --preserve-fds N …',
    'preserve-fd': 'tsrun run --preserve-fds N …',
  },
  examples: ['tsrun create --name web -p 8000:80 httpd'],
  async run(given, [image = '', ...command], context) {
    const request = createRequest(given, image, command);
    requireNewCidfile(given.cidfile);
    const engine = await context.engine();
    const { createContainer } = await import('../../engine/create.ts');
    using progress = pullProgress(given.quiet ? 'quiet' : 'auto');
    const { record } = await createContainer(engine, request, { onEvent: progress.listen });
    print(`${record.id}\n`);
    return 0;
  },
});
