import { tsrunError } from '../../errors.ts';
import type { JoinableName } from '../../launch/given-namespaces.ts';
import { defineCommand } from '../command.ts';
import { exitCode } from '../exit-status.ts';
import { flag } from '../options/option.ts';

const TYPES: readonly JoinableName[] = ['net', 'mnt', 'ipc', 'uts', 'cgroup'];

export const NS_ENTER = defineCommand({
  usage: 'CONTAINER [COMMAND [ARG…]]',
  operands: [1, Number.POSITIVE_INFINITY],
  text:
    'Runs a command of this machine, or a shell, in some of the namespaces of a running container, as root of its user namespace: ' +
    '`ip`, `ss` or `tcpdump` of the host see the network of a container that has no such programs. Without an option it is the network ' +
    'namespace. With --mnt the files are the container’s, and the command is found among them. For all of a container, with its limits ' +
    'and its seccomp filter, there is `tsrun exec`. The exit status is the command’s.',
  options: {
    net: flag('Its interfaces, addresses, ports', { short: 'n' }),
    mnt: flag('Its files and mounts', { short: 'm', aliases: ['mount'] }),
    ipc: flag('Its shared memory and message queues', { short: 'i' }),
    uts: flag('Its host name', { short: 'u' }),
    cgroup: flag('Its view of cgroups', { short: 'C' }),
  },
  optionsEndAtOperand: true,
  examples: ['tsrun ns enter web ss -ltn', 'tsrun ns enter --uts --net web sh'],
  async run(given, [name = '', ...words], context) {
    const engine = await context.engine();
    const { findContainer } = await import('../../engine/container-view.ts');
    const { enterContainer } = await import('../../engine/enter-container.ts');
    const { commandPath } = await import('../../engine/command-path.ts');
    const chosen = TYPES.filter((type) => given[type]);
    const argv = words.length > 0 ? words : [given.mnt ? '/bin/sh' : process.env.SHELL || '/bin/sh'];
    const [command = ''] = argv;
    // In the container's files its own command is looked for, where commands usually are.
    const path = command.includes('/') ? command : given.mnt ? `/bin/${command}` : commandPath(command);
    if (path === undefined) throw tsrunError('ERR_TSRUN_HOST_COMMAND_NOT_FOUND', { command });
    for (const signal of ['SIGINT', 'SIGQUIT'] as const) process.on(signal, () => {});
    const view = findContainer(engine, name);
    const status = enterContainer(engine, view, chosen.length > 0 ? chosen : ['net'], path, argv);
    return exitCode(status, command);
  },
});
