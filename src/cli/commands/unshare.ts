import { tsrunError } from '../../errors.ts';
import { defineCommand } from '../command.ts';
import { exitCode } from '../exit-status.ts';

export const UNSHARE = defineCommand({
  usage: '[COMMAND [ARG…]]',
  operands: [0, Number.POSITIVE_INFINITY],
  text:
    'Runs a command of this machine, or a shell, as root of the user namespace that containers are made in: there the files of containers ' +
    "belong to the users that containers see, and may be looked at and changed. CONTAINERS_GRAPHROOT and CONTAINERS_RUNROOT in its environment name the store and its runtime directory, as with podman. The exit status is the command's.",
  options: {},
  unsupported: { 'rootless-netns': 'tsrun ns enter' },
  optionsEndAtOperand: true,
  examples: ['tsrun unshare cat /proc/self/uid_map', 'tsrun unshare rm -r ./files-of-a-container'],
  async run(_given, words, context) {
    const engine = await context.engine();
    const { commandPath } = await import('../../engine/command-path.ts');
    const { runAttachedInside } = await import('../../engine/run-command-inside.ts');
    const argv = words.length > 0 ? words : [process.env.SHELL || '/bin/sh'];
    const [command = ''] = argv;
    const path = command.includes('/') ? command : commandPath(command);
    if (path === undefined) throw tsrunError('ERR_TSRUN_HOST_COMMAND_NOT_FOUND', { command });
    const places = { CONTAINERS_GRAPHROOT: engine.paths.root, CONTAINERS_RUNROOT: engine.paths.runtime };
    const env = Object.entries({ ...process.env, ...places }).flatMap(([name, text]) =>
      text === undefined ? [] : [`${name}=${text}`],
    );
    // The command is in the foreground and gets ^C as well; what it makes of it is its own affair, as in system(3).
    for (const signal of ['SIGINT', 'SIGQUIT'] as const) process.on(signal, () => {});
    return exitCode(runAttachedInside(engine.rootless(), path, argv, env), command);
  },
});
