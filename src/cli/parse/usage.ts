/** Errors about the words of the command line. */
import { type TsrunError, tsrunError } from '../../errors.ts';

/** ERR_TSRUN_USAGE; `hint` is a line to paste. The caller throws it. */
export const usageError = (problem: string, hint?: string): TsrunError =>
  tsrunError('ERR_TSRUN_USAGE', { problem, hint });
