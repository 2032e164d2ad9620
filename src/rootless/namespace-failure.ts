/** A failed way into the rootless namespaces, as what it means for the user: whoever does not catch it has it shown as it is. */
import { ERRORS, TsrunError } from '../errors.ts';
import { ERRNO } from '../sys/errno.ts';
import { type SyscallFailure, systemWords } from '../sys/run.ts';
import type { Step } from '../sys/step.ts';

const CODE = 'ERR_TSRUN_NAMESPACES';

export class NamespaceFailure extends TsrunError {
  /** The words of newuidmap or newgidmap, if it was one of them that failed. */
  readonly helperOutput: string;
  readonly failure: SyscallFailure;

  constructor(failure: SyscallFailure, helperOutput: string) {
    const { step, errno } = failure;
    const row = ERRORS[CODE];
    const data = { doing: step.why, hint: hintFor(step, errno) };
    const words = systemWords(step, errno);
    const cause = helperOutput ? `${helperOutput} (${words})` : words;
    super(CODE, row.message(data), row.exitCode, row.hint?.(data), data, cause);
    this.helperOutput = helperOutput;
    this.failure = failure;
  }
}

function hintFor(step: Step, errno: number): string {
  if (step.why.includes('map ids:') && errno === ERRNO.ENOENT) return 'sudo apt-get install uidmap';
  // EIO of any other step is what we call a helper that failed (sys/wait.ts).
  if (step.op.kind === 'syscall' && (errno === ERRNO.EROFS || errno === ERRNO.EIO))
    return 'findmnt   # the file system is read-only, or fails: nobody can write to it';
  return 'tsrun doctor   # names the setting that is in the way';
}
