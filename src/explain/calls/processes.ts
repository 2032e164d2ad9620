/** Calls that make, join, wait for and end processes. */
import { signalName } from '../../launch/signals.ts';
import { type Family, flags, hidden, number, oneOf, plain, pointer, type Show } from './arguments.ts';
import { atFlags, directory } from './files.ts';
import { flagsOf, joined, namesOf, namesWith } from './names.ts';

/** clone(2); CLONE_PIDFD is set by the encoder. */
const CLONE = joined(namesWith('CLONE_'), namesOf({ CLONE_PIDFD: 0x1000 }));
const IDTYPE = joined(namesWith('P_'), namesOf({ P_ALL: 0, P_PID: 1, P_PGID: 2 }));

export const signal: Show = number((value) => (value === 0n ? '0' : signalName(Number(value))));

const environment: Show = (argument, context) =>
  typeof argument === 'object' && 'strings' in argument
    ? `[/* ${argument.strings.length} vars */]`
    : plain(argument, context);

const cloneFlags = (value: bigint): string => flagsOf(CLONE, value);

/** The inside of clone3(2)'s struct, which is an op of its own. */
export const cloneArguments = (cloneBits: bigint, exitSignal: number): string =>
  `{flags=${cloneFlags(cloneBits)}, exit_signal=${signalName(exitSignal)}}`;

export const processes: Family = {
  execve: [plain, plain, environment],
  execveat: [directory, plain, plain, environment, atFlags],
  setns: [plain, number(cloneFlags)],
  unshare: [number(cloneFlags)],
  waitid: [oneOf(IDTYPE), plain, plain, flags(joined(namesWith('WNOHANG'), namesWith('WEXITED'))), hidden],
  kill: [plain, signal],
  pidfd_open: [plain, plain],
  pidfd_send_signal: [plain, signal, pointer, hidden],
};
