/** Failed steps → errors that say what it means for the user. */
import { type TsrunError, tsrunError } from '../errors.ts';
import { ERRNO, errnoText } from '../sys/errno.ts';
import { systemWords } from '../sys/run.ts';
import type { Step } from '../sys/step.ts';

const nameOf = (step: Step): string => (step.op.kind === 'syscall' ? step.op.name : step.op.kind);

export interface FailedStart {
  container: string;
  command: string;
  workdir: string;
  step: Step | undefined;
  errno: number;
  /** What network helpers wrote to stderr. */
  words: string;
}

/**
 * What helpers have said of a failure: not the usage that follows "unrecognized option", nor that there is no syslog where pasta repeats each line
 * to it.
 */
function helperWords(words: string): string {
  const lines = words
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !/^Failed to send \d+ bytes to syslog$/.test(line));
  const usage = lines.findIndex((line) => /^usage:/i.test(line));
  return lines.slice(0, usage > 0 ? usage : undefined).join('\n');
}

/** Why a container (or an exec'd process) did not start: 127 no such command, 126 it cannot be executed, else 125. */
export function startError(failed: FailedStart): TsrunError {
  const { step, errno, container, command } = failed;
  const said = helperWords(failed.words);
  if (!step) {
    const killed = errno === ERRNO.ECHILD;
    // The supervisor's own writes come before the command's first step.
    const full = errno === ERRNO.ENOSPC || errno === ERRNO.EDQUOT;
    const doing = killed ? 'set it up' : full ? 'write its state' : 'run the supervisor’s start program';
    const cause = killed ? 'its first process was killed before it became the command' : errnoText(errno);
    return tsrunError('ERR_TSRUN_START', { container, doing }, said || cause);
  }
  const words = systemWords(step, errno);
  if (nameOf(step) === 'execve' && step.actor === 'container') {
    if (errno === ERRNO.ENOENT || errno === ERRNO.ENOTDIR) {
      return tsrunError('ERR_TSRUN_COMMAND_NOT_FOUND', { command, container }, words);
    }
    return tsrunError(
      'ERR_TSRUN_COMMAND_NOT_EXECUTABLE',
      { command, container, hint: executableHint(errno) },
      words,
    );
  }
  if (step.why.includes('working directory')) {
    return tsrunError('ERR_TSRUN_WORKDIR', { workdir: failed.workdir, container }, words);
  }
  const cause = said ? `${said} (${words})` : words;
  return tsrunError('ERR_TSRUN_START', { container, doing: step.why, hint: startHint(step, errno) }, cause);
}

function executableHint(errno: number): string | undefined {
  if (errno === ERRNO.ENOEXEC)
    return 'it may be built for another architecture, or a script without a #! line';
  return undefined;
}

function startHint(step: Step, errno: number): string | undefined {
  if (errno === ERRNO.EINVAL && (nameOf(step) === 'setresuid' || nameOf(step) === 'setresgid')) {
    return 'sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 $USER   # that id is not mapped';
  }
  return undefined;
}
