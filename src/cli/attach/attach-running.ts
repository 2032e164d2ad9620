/** Connecting the foreground to a container that runs already. */
import { connectToSupervisor } from '../../engine/connect-to-supervisor.ts';
import type { ContainerView } from '../../engine/container-view.ts';
import type { Engine } from '../../engine/open-engine.ts';
import { attach, resize, type Streams } from '../../supervisor/messages.ts';
import { endStatus } from '../end-status.ts';
import type { Foreground } from './foreground.ts';

/** Relays until the container ends, or the user detaches; the exit status of the command. @throws ERR_TSRUN_SUPERVISOR_GONE */
export async function attachRunning(
  engine: Engine,
  { id, record, state }: Pick<ContainerView, 'id' | 'record' | 'state'>,
  streams: Streams,
  foreground: Foreground,
): Promise<number> {
  const client = connectToSupervisor(engine.paths, id, record.name, 'attach to');
  await client.send(attach(streams));
  if (foreground.windowSize) {
    // One row less and back: programs that draw the whole screen draw it again when its size changes.
    const { rows, columns } = foreground.windowSize;
    await client.send(Buffer.concat([resize(Math.max(1, rows - 1), columns), resize(rows, columns)]));
  }
  return await endStatus(engine, record, await foreground.relay(client, state.init?.pid ?? 0, record.name));
}
