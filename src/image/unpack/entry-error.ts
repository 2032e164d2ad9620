import { TsrunError, tsrunError } from '../../errors.ts';
import { errnoOf } from './host.ts';
import { type ByteString, displayName } from './tar-entry.ts';

/** The entry cannot be applied, by the archive's own fault: `reason` is a clause about it ("its name …"). */
export const rejectEntry = (path: ByteString, reason: string): TsrunError =>
  tsrunError('ERR_TSRUN_LAYER_ENTRY', { entry: displayName(path), reason });

/** What the system refused while `path` was applied; errors that already name their entry are left as they are. */
export function entryFailed(path: ByteString, error: unknown): unknown {
  if (error instanceof TsrunError) return error;
  const errno = errnoOf(error);
  if (errno === undefined) return error;
  const syscall =
    error instanceof Error && 'syscall' in error ? `${String(error.syscall)} failed` : 'a system call failed';
  return tsrunError(
    'ERR_TSRUN_LAYER_ENTRY',
    { entry: displayName(path), reason: `${syscall} (${errno})`, errno },
    error,
  );
}
