import type { Engine } from '../../engine/open-engine.ts';
import { TsrunError } from '../../errors.ts';
import { defineCommand } from '../command.ts';
import { flag } from '../options/option.ts';
import { print } from '../output.ts';
import { ALL_OPTION, forEach, LATEST_OPTION, selectContainers } from '../select-containers.ts';

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

export const RM = defineCommand({
  usage: '[CONTAINER…]',
  operands: [0, Number.POSITIVE_INFINITY],
  text: 'Removes containers and what they have written. Named volumes stay.',
  options: {
    ...ALL_OPTION,
    ...LATEST_OPTION,
    force: flag('Kill those that run; one that is not there is no error', { short: 'f' }),
    volumes: flag('Remove their anonymous volumes too', { short: 'v' }),
  },
  examples: ['tsrun rm -f web'],
  async run(given, names, context) {
    const engine = await context.engine();
    const { removeContainer } = await import('../../engine/remove-container.ts');
    const selected = await selectContainers(engine, names, given);
    return await forEach(selected, context.debug, async (find) => {
      try {
        const view = find();
        await removeContainer(engine, view, { force: given.force, volumes: given.volumes });
        print(`${view.name}\n`);
      } catch (error) {
        const isAbsent = error instanceof TsrunError && error.code === 'ERR_TSRUN_CONTAINER_UNKNOWN';
        if (!(given.force && isAbsent)) throw error;
        const id = await removeIfDamaged(engine, error.data);
        if (id !== undefined) print(`${id}\n`);
      }
    });
  },
});
