import { defineCommand } from '../command.ts';
import { print } from '../output.ts';

export const HEALTHCHECK_RUN = defineCommand({
  usage: 'CONTAINER',
  operands: [1, 1],
  text:
    "Runs a container's health check now, besides those that its supervisor runs on time. The exit status is 0 for a check that succeeded " +
    'and 1 for one that failed.',
  options: {},
  examples: ['tsrun healthcheck run web'],
  async run(_given, [name = ''], context) {
    const engine = await context.engine();
    const { findContainer } = await import('../../engine/container-view.ts');
    const { runHealthCheck } = await import('../../engine/run-health-check.ts');
    const exitCode = await runHealthCheck(engine, findContainer(engine, name));
    if (exitCode !== 0) print('unhealthy\n');
    return exitCode === 0 ? 0 : 1;
  },
});
