/** Commands whose exit status tells failures apart, as podman's does: podman-rm(1), podman-volume-rm(1). */
import { type ErrorCode, TsrunError } from '../errors.ts';

/** The error with the exit status that the command has for its code, if it has one. */
export function withOwnStatus(error: unknown, statuses: Partial<Record<ErrorCode, number>>): unknown {
  if (!(error instanceof TsrunError)) return error;
  const { code, message, exitCode, hint, data, cause } = error;
  return new TsrunError(code, message, statuses[code] ?? exitCode, hint, data, cause);
}
