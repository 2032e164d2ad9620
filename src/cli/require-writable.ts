import { accessSync, constants } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { tsrunError } from '../errors.ts';

/** Looked at before the work whose result is to be written to `path`, a file that may be made. Throws ERR_TSRUN_OUTPUT_FILE. */
export function requireWritable(path: string): void {
  const { W_OK, X_OK } = constants;
  try {
    accessSync(path, W_OK);
  } catch (refusal) {
    try {
      if ((refusal as NodeJS.ErrnoException).code !== 'ENOENT') throw refusal;
      accessSync(dirname(resolve(path)), W_OK | X_OK);
    } catch (error) {
      throw tsrunError('ERR_TSRUN_OUTPUT_FILE', { path }, error);
    }
  }
}
