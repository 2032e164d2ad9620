/** Use case: `tsrun healthcheck run`: the container's supervisor is asked for a check. */
import { tsrunError } from '../errors.ts';
import { probe } from '../supervisor/messages.ts';
import { connectToSupervisor } from './connect-to-supervisor.ts';
import { type ContainerView, notRunning } from './container-view.ts';
import type { Engine } from './open-engine.ts';

/**
 * @returns the exit status of the check
 * @throws ERR_TSRUN_CONTAINER_STATE unless it runs, ERR_TSRUN_USAGE when it has no health check, ERR_TSRUN_SUPERVISOR_GONE
 */
export async function runHealthCheck(engine: Engine, view: ContainerView): Promise<number> {
  const { name, id, record, state } = view;
  if (!record.health) {
    throw tsrunError('ERR_TSRUN_USAGE', {
      problem: `container ${name} has no health check`,
      hint: 'tsrun run --health-cmd COMMAND …',
    });
  }
  if (state.phase !== 'running') throw notRunning(view);
  const client = connectToSupervisor(engine.paths, id, name, 'check');
  try {
    await client.send(probe());
    for (;;) {
      const message = await client.next();
      if (message?.type === 'probed') return message.exitCode;
      if (message === undefined || message.type === 'exit') {
        throw tsrunError('ERR_TSRUN_CONTAINER_STATE', { name, state: 'exited', wanted: 'running' });
      }
    }
  } finally {
    client.close();
  }
}
