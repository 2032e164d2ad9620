import type { RuntimeResources } from '../../spec/runtime.ts';
import { defineCommand } from '../command.ts';
import { changedResources, isLimitGiven, RESOURCE_OPTIONS } from '../options/limit-options.ts';
import { type Values, value } from '../options/option.ts';
import { HEALTH_OPTIONS, healthRequest, SUPERVISION_OPTIONS } from '../options/supervision-options.ts';
import { UNSUPPORTED_UPDATE_OPTIONS } from '../options/unsupported.ts';
import { print } from '../output.ts';
import { parseRestartPolicy } from '../parse/restart-policy.ts';
import { usageError } from '../parse/usage.ts';
import { forEach, LATEST_OPTION, selectContainers } from '../select-containers.ts';

type HealthValues = Values<typeof HEALTH_OPTIONS>;

const isHealthGiven = (given: HealthValues): boolean =>
  Object.keys(HEALTH_OPTIONS).some((name) => (given[name as keyof HealthValues] ?? false) !== false);

export const UPDATE = defineCommand({
  usage: '[CONTAINER…]',
  operands: [0, Number.POSITIVE_INFINITY],
  text:
    'Changes the limits, the restart policy and the health check of containers. Limits and policy of a running container change at once, and stay ' +
    'for its next starts; 0 takes a limit away. Another health check holds from the next start.',
  options: {
    ...RESOURCE_OPTIONS,
    ...HEALTH_OPTIONS,
    // Unlike at its creation, `no` is not the same as nothing.
    restart: value(
      'POLICY',
      SUPERVISION_OPTIONS.restart.text,
      (text) => ({ policy: parseRestartPolicy(text) }),
      {
        example: '--restart on-failure:5',
      },
    ),
    ...LATEST_OPTION,
  },
  unsupported: UNSUPPORTED_UPDATE_OPTIONS,
  examples: [
    'tsrun update -m 1g --cpus 2 web',
    'tsrun update --restart always web',
    'tsrun update --health-interval 10s web',
  ],
  async run(given, names, context) {
    const resources = isLimitGiven(given)
      ? (before: RuntimeResources) => changedResources(before, given)
      : undefined;
    const health = isHealthGiven(given) ? healthRequest(given) : undefined;
    if (!resources && !given.restart && !health)
      throw usageError('nothing to change is given', 'tsrun update -m 1g web');
    const engine = await context.engine();
    const { updateContainer } = await import('../../engine/update-container.ts');
    return await forEach(await selectContainers(engine, names, given), context.debug, async (find) => {
      print(`${await updateContainer(engine, find().id, { resources, restart: given.restart, health })}\n`);
    });
  },
});
