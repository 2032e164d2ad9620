import { TsrunError } from '../../errors.ts';
import { findVolume, listVolumes } from '../../store/volumes.ts';
import { defineCommand } from '../command.ts';
import { flag } from '../options/option.ts';
import { print } from '../output.ts';
import { withOwnStatus } from '../own-status.ts';
import { usageError } from '../parse/usage.ts';
import { forEach } from '../select-containers.ts';

const STATUSES = { ERR_TSRUN_VOLUME_UNKNOWN: 1, ERR_TSRUN_VOLUME_IN_USE: 2 };

export const VOLUME_RM = defineCommand({
  usage: '[VOLUME…]',
  operands: [0, Number.POSITIVE_INFINITY],
  text:
    'Removes volumes and what is in them, for good. One that a container uses, even a stopped one, stays unless forced. Exits with 1 if there ' +
    'is no such volume, with 2 if it is in use, and with 125 if anything else was in the way.',
  options: {
    all: flag('All volumes', { short: 'a' }),
    force: flag('Remove the containers that use them first; one that is not there is no error', {
      short: 'f',
    }),
  },
  unsupported: { time: 'containers that go with it are killed; stop them first: tsrun stop CONTAINER' },
  examples: ['tsrun volume rm data'],
  async run(given, names, context) {
    if (given.all === names.length > 0)
      throw usageError(
        given.all ? '--all and a name contradict each other' : 'which volume?',
        'tsrun volume ls',
      );
    const engine = await context.engine();
    const { removeVolume } = await import('../../engine/manage-volumes.ts');
    const wanted = given.all ? listVolumes(engine.paths).map(({ name }) => name) : names;
    return await forEach(wanted, context.debug, async (name) => {
      try {
        const volume = findVolume(engine.paths, name);
        await removeVolume(engine, volume, given.force);
        print(`${volume.name}\n`);
      } catch (error) {
        const isAbsent = error instanceof TsrunError && error.code === 'ERR_TSRUN_VOLUME_UNKNOWN';
        if (!(given.force && isAbsent)) throw withOwnStatus(error, STATUSES);
      }
    });
  },
});
