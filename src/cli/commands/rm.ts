import type { ContainerView } from '../../engine/container-view.ts';
import type { Engine } from '../../engine/open-engine.ts';
import { defineCommand } from '../command.ts';
import { flag, value, withoutShort } from '../options/option.ts';
import { print } from '../output.ts';
import { withOwnStatus } from '../own-status.ts';
import { usageError } from '../parse/usage.ts';
import { wholeNumber } from '../parse/words-of-choice.ts';
import { forEach, isUnknownContainer, SELECTION_OPTIONS, selectContainers } from '../select-containers.ts';

/** A container whose record cannot be read has only its id, or the beginning of it, to be called by. Returns the id, if there was one. */
async function removeIfDamaged(engine: Engine, data: object): Promise<string | undefined> {
  const written = 'name' in data ? String(data.name) : '';
  if (!/^[0-9a-f]{4,64}$/.test(written)) return undefined;
  const damaged = engine.containers
    .ids()
    .filter((id) => id.startsWith(written) && !engine.containers.read(id));
  const [id] = damaged;
  if (id === undefined || damaged.length > 1) return undefined;
  const { removeDamagedContainer } = await import('../../engine/remove-damaged.ts');
  await removeDamagedContainer(engine, id);
  return id;
}

async function stopFirst(engine: Engine, view: ContainerView, time: number): Promise<void> {
  const { stopContainer } = await import('../../engine/stop-container.ts');
  await stopContainer(engine, view, time);
}

/** podman-rm(1): a container that is not there, and one that runs. */
const STATUSES = {
  ERR_TSRUN_CONTAINER_UNKNOWN: 1,
  ERR_TSRUN_CONTAINER_STATE: 2,
};

export const RM = defineCommand({
  usage: '[CONTAINER…]',
  operands: [0, Number.POSITIVE_INFINITY],
  text:
    'Removes containers and what they have written. Named volumes stay. Exits with 1 if there is no such container, with 2 if it runs, and ' +
    'with 125 if anything else was in the way.',
  options: {
    ...SELECTION_OPTIONS,
    filter: withoutShort(SELECTION_OPTIONS.filter), // -f is --force
    depend: flag('Those that share its namespaces first'),
    force: flag('End those that run; one that is not there is no error', { short: 'f' }),
    ignore: flag('A container that is not there is no error', { short: 'i' }),
    time: value(
      'SECONDS',
      'With --force: wait so long after the stop signal; -1 is for ever',
      wholeNumber('--time', -1),
      {
        short: 't',
        aliases: ['timeout'],
        default: '0',
      },
    ),
    volumes: flag('Remove their anonymous volumes too', { short: 'v' }),
  },
  examples: ['tsrun rm -f web'],
  async run(given, names, context) {
    if (given.time !== undefined && !given.force)
      throw usageError('--time is how long --force waits', 'tsrun rm --force --time 10 web');
    const engine = await context.engine();
    const { removeContainer } = await import('../../engine/remove-container.ts');
    const { removeDependents } = await import('../../engine/dependent-containers.ts');
    const { sweep } = await import('../../engine/sweep.ts');
    const selected = await selectContainers(engine, names, given);
    const status = await forEach(selected, context.debug, async (find) => {
      try {
        const view = find();
        const options = { force: given.force, volumes: given.volumes };
        const forced = async (one: ContainerView): Promise<void> => {
          if (given.force && given.time) await stopFirst(engine, one, given.time);
          await removeContainer(engine, one, options);
          print(`${one.name}\n`);
        };
        if (given.depend) await removeDependents(engine, view, forced);
        await forced(view);
      } catch (error) {
        if (!isUnknownContainer(error) || !(given.force || given.ignore))
          throw withOwnStatus(error, STATUSES);
        const id = await removeIfDamaged(engine, error.data);
        if (id !== undefined) print(`${id}\n`);
      }
    });
    if (!(await sweep(engine))) engine.containers.sweepNames();
    return status;
  },
});
