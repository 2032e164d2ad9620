/** Names of images for which tags are looked up, and which therefore have none. */
import { parseName } from '../../spec/reference.ts';
import { usageError } from './usage.ts';

/** The name as it was written. Throws ERR_TSRUN_USAGE when it has a tag or a digest, ERR_TSRUN_REFERENCE. */
export function parseRepository(written: string): string {
  const { tag, digest } = parseName(written);
  if (tag === undefined && digest === undefined) return written;
  const name = written.slice(0, written.length - (tag ?? digest ?? '').length - 1);
  throw usageError(`"${written}" has a tag or a digest, and all tags are asked for`, `write ${name}`);
}
