import { Foreground } from '../attach/foreground.ts';
import { defineCommand } from '../command.ts';
import { endStatus } from '../end-status.ts';
import { givenEnvironment, RUN_OPTIONS } from '../options/create-options.ts';
import { flag } from '../options/option.ts';
import { COMMAND_OPTIONS, PRESERVE_OPTION } from '../options/process-options.ts';
import { usageError } from '../parse/usage.ts';
import { CIDFILE_OPTION, LATEST_OPTION, selectContainer } from '../select-containers.ts';

export const EXEC = defineCommand({
  usage: 'CONTAINER COMMAND [ARG…]',
  operands: [1, Number.POSITIVE_INFINITY],
  text:
    "Runs one more command in a running container, in all of its namespaces and with its rights. The exit status is the command's, " +
    'or 125, 126, 127 as for `tsrun run`.',
  options: {
    ...COMMAND_OPTIONS,
    ...PRESERVE_OPTION,
    detach: flag('Leave the command running, and return at once', { short: 'd' }),
    'detach-keys': RUN_OPTIONS['detach-keys'],
    ...CIDFILE_OPTION,
    ...LATEST_OPTION,
  },
  optionsEndAtOperand: true,
  unsupported: { 'preserve-fd': '--preserve-fds N' },
  examples: ['tsrun exec -it web sh', 'tsrun exec -u 0 web id'],
  async run(given, words, context) {
    // With --latest or --cidfile all words are the command's.
    const isImplied = given.latest || given.cidfile.length > 0;
    if (given.cidfile.length > 1) throw usageError('one container: --cidfile is given several times');
    const [names, command] = isImplied ? [[], words] : [words.slice(0, 1), words.slice(1)];
    if (command.length === 0) throw usageError('which command?', 'tsrun exec -it web sh');
    const attached = !given.detach;
    const streams = { stdin: attached && given.interactive, stdout: attached, stderr: attached };
    const env = givenEnvironment(given);
    const engine = await context.engine();
    const { execInContainer } = await import('../../engine/exec-container.ts');
    const view = await selectContainer(engine, names, given);
    using foreground = attached
      ? await Foreground.open({ streams, tty: given.tty, detachKeys: given['detach-keys'], sigProxy: true })
      : undefined;
    const { interactive, tty, detach, privileged, user, workdir } = given;
    const preserve = given['preserve-fds'] ?? 0;
    const request = { command, env, interactive, tty, detach, privileged, user, workdir, preserve };
    const size = foreground?.windowSize;
    const { client, pid } = await execInContainer(
      engine,
      view,
      request,
      streams,
      size && { height: size.rows, width: size.columns },
    );
    if (foreground)
      return await endStatus(engine, view.record, await foreground.relay(client, pid, view.name));
    client.close();
    return 0;
  },
});
