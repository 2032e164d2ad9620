import { TsrunError, tsrunError } from '../../errors.ts';
import { type ByteString, displayName } from '../unpack/tar-entry.ts';

/** What the system refused while `path` was read; errors that already name their file, and those of the output, are left as they are. */
export function cannotPack(path: ByteString, error: unknown): TsrunError {
  if (error instanceof TsrunError) return error;
  return tsrunError('ERR_TSRUN_PACK', { entry: displayName(path) }, error);
}
