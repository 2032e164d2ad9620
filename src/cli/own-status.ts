/** Commands whose exit status tells failures apart, as podman's does: podman-rm(1), podman-volume-rm(1). */
import { type ErrorCode, TsrunError } from '../errors.ts';

/** The error with the exit status that the command has for its code, if it has one. */
export function withOwnStatus(error: unknown, statuses: Partial<Record<ErrorCode, number>>): unknown {
  const own = error instanceof TsrunError ? statuses[error.code] : undefined;
  if (!(error instanceof TsrunError) || own === undefined || own === error.exitCode) return error;
  const { code, message, hint, data, cause } = error;
  return new TsrunError(code, message, own, hint, data, cause);
}
