import { closeSync, openSync } from 'node:fs';
import { tsrunError } from '../../errors.ts';
import { runtimeContainerDirectory } from '../../store/paths.ts';
import { SupervisorClient } from '../../supervisor/client.ts';
import { attach as attachFrame } from '../../supervisor/messages.ts';
import { Foreground } from '../attach/foreground.ts';
import { defineCommand } from '../command.ts';
import { endStatus } from '../end-status.ts';
import { RUN_OPTIONS } from '../options/create-options.ts';
import { flag } from '../options/option.ts';

/**
 * Connects to a supervisor. A socket's address has only 108 bytes, so its directory is named by a descriptor.
 * @throws ERR_TSRUN_SUPERVISOR_GONE when the runtime directory was cleaned, or is another one than when the container was started
 */
function connect(directory: string, container: string): SupervisorClient {
  let fd = -1;
  try {
    fd = openSync(directory, 'r');
    return SupervisorClient.connect(`/proc/self/fd/${fd}/attach`);
  } catch (error) {
    throw tsrunError('ERR_TSRUN_SUPERVISOR_GONE', { container, doing: 'attach to' }, error);
  } finally {
    if (fd >= 0) closeSync(fd);
  }
}

export const ATTACH = defineCommand({
  usage: 'CONTAINER',
  operands: [1, 1],
  text: "Connects this terminal to a running container's stdin, stdout and stderr, and ends with its exit status.",
  options: {
    'detach-keys': RUN_OPTIONS['detach-keys'],
    'no-stdin': flag('Leave stdin alone'),
    'sig-proxy': RUN_OPTIONS['sig-proxy'],
  },
  examples: ['tsrun attach shell'],
  async run(given, [name = ''], context) {
    const engine = await context.engine();
    const { findContainer } = await import('../../engine/container-view.ts');
    const { id, record, state } = findContainer(engine, name);
    if (state.phase !== 'running') {
      const hint = `tsrun start -a ${record.name}`;
      throw tsrunError('ERR_TSRUN_CONTAINER_STATE', {
        name: record.name,
        state: state.phase,
        wanted: 'running',
        hint,
      });
    }
    const streams = { stdin: record.openStdin && !given['no-stdin'], stdout: true, stderr: true };
    using foreground = await Foreground.open({
      streams,
      tty: record.tty,
      detachKeys: given['detach-keys'],
      sigProxy: given['sig-proxy'],
    });
    const client = connect(runtimeContainerDirectory(engine.paths, id), record.name);
    await client.send(attachFrame(streams));
    if (foreground.windowSize) {
      // One row less and back: programs that draw the whole screen draw it again when its size changes.
      const { rows, columns } = foreground.windowSize;
      const { resize } = await import('../../supervisor/messages.ts');
      await client.send(Buffer.concat([resize(Math.max(1, rows - 1), columns), resize(rows, columns)]));
    }
    return await endStatus(engine, record, await foreground.relay(client, state.init?.pid ?? 0));
  },
});
