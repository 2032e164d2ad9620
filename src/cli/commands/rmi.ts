import type { Engine } from '../../engine/open-engine.ts';
import { TsrunError } from '../../errors.ts';
import { isIdPrefix } from '../../spec/digest.ts';
import { isDangling } from '../../store/image-record.ts';
import { defineCommand } from '../command.ts';
import { freeSpace, printRemoved } from '../free-space.ts';
import { localImage } from '../image-filter.ts';
import { flag } from '../options/option.ts';
import { print } from '../output.ts';
import { withOwnStatus } from '../own-status.ts';
import { usageError } from '../parse/usage.ts';
import { forEach } from '../select-containers.ts';

interface RemoveOptions {
  /** Whatever containers are made from it. */
  force: boolean;
  /** With all its names. */
  allNames: boolean;
}

/** A name of an image that has others is only taken away; otherwise the image goes. Throws ERR_TSRUN_IMAGE_IN_USE, ERR_TSRUN_IMAGE_NOT_LOCAL. */
function removeImage(engine: Engine, written: string, { force, allNames }: RemoveOptions): void {
  const record = localImage(engine, written);
  const names = engine.images.namesOf(record).filter((image) => !isDangling(image));
  const isId = isIdPrefix(written, record.imageId);
  if (names.length > 1 && !isId) {
    engine.images.untag(record.reference);
    print(`Untagged: ${record.reference}\n`);
    return;
  }
  if (names.length > 1 && !force && !allNames) {
    throw usageError(
      `image ${written} has several names: ${names.map(({ reference }) => reference).join(', ')}`,
      `tsrun rmi -f ${written}`,
    );
  }
  printRemoved(engine.images.remove(record, { force }), record.imageId);
}

/** podman-rmi(1): an image that is not there, and one that something is made from. */
const STATUSES = {
  ERR_TSRUN_IMAGE_NOT_LOCAL: 1,
  ERR_TSRUN_IMAGE_IN_USE: 2,
  ERR_TSRUN_IMAGE_MOUNTED: 2,
};

export const RMI = defineCommand({
  usage: '[IMAGE…]',
  operands: [0, Number.POSITIVE_INFINITY],
  text:
    'Takes names of images away; an image that has no other name is removed, with the layers that nothing else needs. Exits with 1 if there ' +
    'is no such image, with 2 if it is in use, and with 125 if anything else was in the way.',
  options: {
    all: flag('All images', { short: 'a' }),
    ignore: flag('One that is not there is no error', { short: 'i' }),
    force: flag(
      'Also those that containers are made from (these keep what they need), and those with several names; one that is not there is no error',
      { short: 'f' },
    ),
    'no-prune': flag('The same: no other image goes along'),
  },
  unsupported: {
    platform: 'an image of the store is for one platform',
  },
  examples: ['tsrun rmi httpd'],
  async run(given, names, context) {
    if (given.all === names.length > 0)
      throw usageError(given.all ? '--all and a name contradict each other' : 'which image?', 'tsrun images');
    const engine = await context.engine();
    const wanted = given.all ? [...new Set(engine.images.list().map(({ imageId }) => imageId))] : names;
    const options = { force: given.force, allNames: given.all };
    const status = await forEach(wanted, context.debug, (name) => {
      try {
        removeImage(engine, name, options);
      } catch (error) {
        const isAbsent = error instanceof TsrunError && error.code === 'ERR_TSRUN_IMAGE_NOT_LOCAL';
        // As with podman and docker, what is to go by force and is not there is no error.
        if (!(isAbsent && (given.ignore || given.force))) throw withOwnStatus(error, STATUSES);
      }
    });
    await freeSpace(engine);
    return status;
  },
});
