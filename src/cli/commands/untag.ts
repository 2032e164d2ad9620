import type { Engine } from '../../engine/open-engine.ts';
import { type ImageRecord, isDangling } from '../../store/image-record.ts';
import { defineCommand } from '../command.ts';
import { localImage } from '../image-filter.ts';
import { usageError } from '../parse/usage.ts';

/** The name of `image` that `written` means. Throws ERR_TSRUN_USAGE when it is not one of its names. */
function nameOf(engine: Engine, image: ImageRecord, written: string): string {
  const found = engine.images.resolve(written);
  if (found?.imageId === image.imageId && !isDangling(found)) return found.reference;
  const [name] = engine.images.namesOf(image).filter((record) => !isDangling(record));
  throw usageError(
    `"${written}" is no name of image ${image.reference}`,
    name && `tsrun untag ${name.reference}   # takes all its names; tsrun images shows them`,
  );
}

export const UNTAG = defineCommand({
  usage: 'IMAGE [NAME[:TAG]…]',
  operands: [1, Number.POSITIVE_INFINITY],
  text: 'Takes names away from an image, or all its names. The image stays, even without a name.',
  options: {},
  examples: ['tsrun untag httpd localhost:5000/httpd:mine', 'tsrun untag httpd'],
  async run(_given, [name = '', ...written], context) {
    const engine = await context.engine();
    const image = localImage(engine, name);
    const names =
      written.length > 0
        ? written.map((text) => nameOf(engine, image, text))
        : engine.images.namesOf(image).flatMap((record) => (isDangling(record) ? [] : [record.reference]));
    for (const reference of names) engine.images.untag(reference);
    return 0;
  },
});
