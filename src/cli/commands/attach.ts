import { tsrunError } from '../../errors.ts';
import { attachRunning } from '../attach/attach-running.ts';
import { Foreground } from '../attach/foreground.ts';
import { defineCommand } from '../command.ts';
import { RUN_OPTIONS } from '../options/create-options.ts';
import { flag } from '../options/option.ts';
import { LATEST_OPTION, selectContainer } from '../select-containers.ts';

export const ATTACH = defineCommand({
  usage: '[CONTAINER]',
  operands: [0, 1],
  text: "Connects this terminal to a running container's stdin, stdout and stderr, and ends with its exit status.",
  options: {
    'detach-keys': RUN_OPTIONS['detach-keys'],
    'no-stdin': flag('Leave stdin alone'),
    'sig-proxy': RUN_OPTIONS['sig-proxy'],
    ...LATEST_OPTION,
  },
  examples: ['tsrun attach shell'],
  async run(given, names, context) {
    const engine = await context.engine();
    const { id, record, state } = await selectContainer(engine, names, given);
    if (state.phase !== 'running') {
      const hint = `tsrun start -a ${record.name}`;
      throw tsrunError('ERR_TSRUN_CONTAINER_STATE', {
        name: record.name,
        state: state.phase,
        wanted: 'running',
        hint,
      });
    }
    if (record.logDriver === 'passthrough') {
      const problem = `container ${record.name} was made with --log-driver passthrough: its streams are those of the tsrun that started it`;
      throw tsrunError('ERR_TSRUN_USAGE', { problem });
    }
    const streams = { stdin: record.openStdin && !given['no-stdin'], stdout: true, stderr: true };
    using foreground = await Foreground.open({
      streams,
      tty: record.tty,
      detachKeys: given['detach-keys'],
      sigProxy: given['sig-proxy'],
    });
    return await attachRunning(engine, { id, record, state }, streams, foreground);
  },
});
