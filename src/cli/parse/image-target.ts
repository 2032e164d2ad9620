import { parseName, qualifyName, type Reference } from '../../spec/reference.ts';
import { usageError } from './usage.ts';

/** A name to give to an image. Without a registry it is one of this machine: `localhost/NAME`. Throws ERR_TSRUN_REFERENCE, ERR_TSRUN_USAGE. */
export function parseImageTarget(text: string): Reference {
  const name = parseName(text);
  if (name.digest === undefined) return qualifyName(name, 'localhost');
  throw usageError(
    `"${text}" cannot be given to an image: a digest is of its content`,
    'tsrun tag IMAGE NAME:TAG',
  );
}
