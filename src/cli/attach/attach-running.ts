/** Connecting the foreground to a container that runs already. */
import { closeSync, openSync } from 'node:fs';
import type { ContainerView } from '../../engine/container-view.ts';
import type { Engine } from '../../engine/open-engine.ts';
import { tsrunError } from '../../errors.ts';
import { runtimeContainerDirectory } from '../../store/paths.ts';
import { SupervisorClient } from '../../supervisor/client.ts';
import { attach, resize, type Streams } from '../../supervisor/messages.ts';
import { endStatus } from '../end-status.ts';
import type { Foreground } from './foreground.ts';

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

/** Relays until the container ends, or the user detaches; the exit status of the command. @throws ERR_TSRUN_SUPERVISOR_GONE */
export async function attachRunning(
  engine: Engine,
  { id, record, state }: Pick<ContainerView, 'id' | 'record' | 'state'>,
  streams: Streams,
  foreground: Foreground,
): Promise<number> {
  const client = connect(runtimeContainerDirectory(engine.paths, id), record.name);
  await client.send(attach(streams));
  if (foreground.windowSize) {
    // One row less and back: programs that draw the whole screen draw it again when its size changes.
    const { rows, columns } = foreground.windowSize;
    await client.send(Buffer.concat([resize(Math.max(1, rows - 1), columns), resize(rows, columns)]));
  }
  return await endStatus(engine, record, await foreground.relay(client, state.init?.pid ?? 0));
}
