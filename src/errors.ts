/**
 * Every error that tsrun reports, in one table: code → message, exit status, remedy. The rows are in errors/, by what they are about.
 *
 * An error has a stable code (`ERR_TSRUN_…`, also its anchor in docs/errors.md), a message that names the object, an
 * optional cause (the system's own words) and an optional hint (a line to paste). Rendered by cli/render-error.ts as at most
 * four lines. Exit statuses: 125 for a failure of tsrun, 126 for a command that cannot be invoked, 127 for one that is not there.
 */

import type { Definition } from './errors/definition.ts';
import { ERRORS } from './errors/table.ts';

export { ERRORS };

export type ErrorCode = keyof typeof ERRORS;
export type ErrorData<C extends ErrorCode> = Parameters<(typeof ERRORS)[C]['message']>[0];

export class TsrunError extends Error {
  readonly code: ErrorCode;
  readonly exitCode: number;
  readonly hint: string | undefined;
  readonly data: object;
  constructor(
    code: ErrorCode,
    message: string,
    exitCode: number,
    hint: string | undefined,
    data: object,
    cause?: unknown,
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'TsrunError';
    this.code = code;
    this.exitCode = exitCode;
    this.hint = hint;
    this.data = data;
  }
}

/** Builds the error `code` for `data`; the caller throws it. `cause` is the system's own words or the error behind it. */
export function tsrunError<C extends ErrorCode>(code: C, data: ErrorData<C>, cause?: unknown): TsrunError {
  const row = ERRORS[code] as Definition<ErrorData<C>>;
  return new TsrunError(code, row.message(data), row.exitCode, row.hint?.(data), data as object, cause);
}
