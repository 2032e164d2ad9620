import { type ParsedName, parseName, qualifyName, type Reference } from '../../spec/reference.ts';
import { defineCommand } from '../command.ts';
import { localImage } from '../image-filter.ts';
import { usageError } from '../parse/usage.ts';

/** A name without a registry is one of this machine: `localhost/NAME`. Throws ERR_TSRUN_REFERENCE, ERR_TSRUN_USAGE. */
function parseTarget(text: string): Reference {
  const name: ParsedName = parseName(text);
  if (name.digest === undefined) return qualifyName(name, 'localhost');
  throw usageError(
    `"${text}" cannot be given to an image: a digest is of its content`,
    'tsrun tag IMAGE NAME:TAG',
  );
}

export const TAG = defineCommand({
  usage: 'IMAGE NAME[:TAG]…',
  operands: [2, Number.POSITIVE_INFINITY],
  text: 'Gives an image more names. A name that another image has is taken from it.',
  options: {},
  examples: ['tsrun tag httpd localhost:5000/httpd:mine'],
  async run(_given, [name = '', ...targets], context) {
    const engine = await context.engine();
    const record = localImage(engine, name);
    for (const target of targets.map(parseTarget)) engine.images.tag(record, target);
    return 0;
  },
});
