import type { RuntimeResources } from '../../spec/runtime.ts';
import { defineCommand } from '../command.ts';
import { changedResources, isLimitGiven, RESOURCE_OPTIONS } from '../options/limit-options.ts';
import { flag, type OptionTable, value } from '../options/option.ts';
import {
  givenHealthOptions,
  HEALTH_OPTIONS,
  healthRequest,
  SUPERVISION_OPTIONS,
} from '../options/supervision-options.ts';
import { UNSUPPORTED_UPDATE_OPTIONS } from '../options/unsupported.ts';
import { print } from '../output.ts';
import { parseRestartPolicy } from '../parse/restart-policy.ts';
import { usageError } from '../parse/usage.ts';
import { forEach, LATEST_OPTION, selectContainers } from '../select-containers.ts';

/** What is not given stays: the defaults are those of a container that is made. */
const kept = <T extends OptionTable>(options: T): T =>
  Object.fromEntries(
    Object.entries(options).map(([name, option]) => [
      name,
      option.kind === 'value' && option.default !== undefined
        ? { ...option, default: "the container's" }
        : option,
    ]),
  ) as T;

export const UPDATE = defineCommand({
  usage: '[CONTAINER…]',
  operands: [0, Number.POSITIVE_INFINITY],
  text:
    'Changes the limits, the restart policy and the health check of containers. Limits and policy of a running container change at once, and stay ' +
    'for its next starts; 0 takes a limit away. Another health check holds from the next start.',
  options: {
    ...kept(RESOURCE_OPTIONS),
    'memory-swap': { ...RESOURCE_OPTIONS['memory-swap'], default: "the container's, or twice --memory" },
    ...kept(HEALTH_OPTIONS),
    'no-healthcheck': flag('Run no health check'),
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
    const health = givenHealthOptions(given).length > 0 ? healthRequest(given) : undefined;
    if (!resources && !given.restart && !health)
      throw usageError('nothing to change is given', 'tsrun update -m 1g web');
    const engine = await context.engine();
    const { updateContainer } = await import('../../engine/update-container.ts');
    return await forEach(await selectContainers(engine, names, given), context.debug, async (find) => {
      print(`${await updateContainer(engine, find().id, { resources, restart: given.restart, health })}\n`);
    });
  },
});
