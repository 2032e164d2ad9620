import { bytesOf } from '../../spec/size.ts';
import { usageError } from './usage.ts';

/** Bytes, rounded down. `option` names the option in the error. Throws ERR_TSRUN_USAGE. */
export function parseSize(text: string, option: string): number {
  const bytes = bytesOf(text);
  if (bytes === undefined) throw usageError(`${option} ${text}: not a size`, `${option} 64m`);
  return bytes;
}
