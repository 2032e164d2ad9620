import type { Engine } from '../../engine/open-engine.ts';
import { tsrunError } from '../../errors.ts';
import { isDangling } from '../../store/image-record.ts';
import { defineCommand } from '../command.ts';
import { flag } from '../options/option.ts';
import { print } from '../output.ts';
import { usageError } from '../parse/usage.ts';
import { forEach } from '../select-containers.ts';

/** A name of an image that has others is only taken away; otherwise the image goes. Throws ERR_TSRUN_IMAGE_IN_USE, ERR_TSRUN_IMAGE_NOT_LOCAL. */
function removeImage(engine: Engine, written: string, force: boolean): void {
  const record = engine.images.resolve(written);
  if (record === undefined) throw tsrunError('ERR_TSRUN_IMAGE_NOT_LOCAL', { reference: written });
  const names = engine.images.namesOf(record).filter((image) => !isDangling(image));
  const isId = record.imageId.slice('sha256:'.length).startsWith(written.replace(/^sha256:/, ''));
  if (names.length > 1 && !isId) {
    engine.images.untag(record.reference);
    print(`Untagged: ${record.reference}\n`);
    return;
  }
  if (names.length > 1 && !force) {
    throw usageError(
      `image ${written} has several names: ${names.map(({ reference }) => reference).join(', ')}`,
      `tsrun rmi -f ${written}`,
    );
  }
  const gone = engine.images.remove(record, { force });
  print(
    gone
      .filter((reference) => !reference.startsWith('<none>'))
      .map((reference) => `Untagged: ${reference}\n`)
      .join(''),
  );
  print(`Deleted: ${record.imageId}\n`);
}

export const RMI = defineCommand({
  usage: '[IMAGE…]',
  operands: [0, Number.POSITIVE_INFINITY],
  text: 'Takes names of images away; an image that has no other name is removed, with the layers that nothing else needs.',
  options: {
    all: flag('All images', { short: 'a' }),
    force: flag(
      'Also those that containers are made from (these keep what they need), and those with several names',
      { short: 'f' },
    ),
  },
  unsupported: { 'no-prune': '' },
  examples: ['tsrun rmi httpd'],
  async run(given, names, context) {
    if (given.all === names.length > 0)
      throw usageError(given.all ? '--all and a name contradict each other' : 'which image?', 'tsrun images');
    const engine = await context.engine();
    const wanted = given.all ? [...new Set(engine.images.list().map(({ imageId }) => imageId))] : names;
    const status = await forEach(wanted, context.debug, (name) =>
      removeImage(engine, name, given.force || given.all),
    );
    const [{ collectGarbage }, { engineHooks }] = await Promise.all([
      import('../../store/garbage.ts'),
      import('../../engine/unpacker.ts'),
    ]);
    await collectGarbage(engine.paths, { hooks: engineHooks(engine) });
    return status;
  },
});
