/** Calls on files, directories and descriptors. */
import { AT_FDCWD, F_DUPFD_CLOEXEC, O_CREAT } from '../../sys/constants.ts';
import {
  type Family,
  flags,
  hidden,
  membersOf,
  mode,
  number,
  numberOf,
  oneOf,
  plain,
  pointer,
  type Show,
} from './arguments.ts';
import { flagsOf, joined, nameOf, namesOf, namesWith } from './names.ts';

/** fcntl(2): what constants.ts has no use for. */
const FCNTL = joined(
  namesWith('F_'),
  namesOf({ F_DUPFD: 0, F_GETFD: 1, F_SETFD: 2, F_GETFL: 3, F_SETFL: 4, F_DUPFD_CLOEXEC }),
);
const OPEN = namesWith('O_');
const RESOLVE = namesWith('RESOLVE_');

/** A directory descriptor, or AT_FDCWD. */
export const directory: Show = number((value) => (value === BigInt(AT_FDCWD) ? 'AT_FDCWD' : String(value)));

/** `AT_EMPTY_PATH|…` */
export const atFlags: Show = flags(namesWith('AT_', 'AT_FDCWD'));

const openFlags: Show = flags(OPEN);
/** Where no file is opened 0 is not O_RDONLY but nothing. */
const descriptorFlags: Show = flags(namesWith('O_', 'O_RDONLY'));

/** The mode of a new file counts only where a file may be made. */
const modeIfCreated: Show = (argument, context) => {
  const value = numberOf(context.all[2]) ?? 0n;
  return value & BigInt(O_CREAT) ? mode(argument, context) : undefined;
};

/** struct open_how (openat2(2)). */
const openHow: Show = (argument, context) => {
  const [how, permissions, resolve] = membersOf(argument);
  if (how === undefined || permissions === undefined || resolve === undefined)
    return plain(argument, context);
  const parts = [`flags=${flagsOf(OPEN, how)}`];
  if (how & BigInt(O_CREAT)) parts.push(`mode=0${permissions.toString(8)}`);
  parts.push(`resolve=${flagsOf(RESOLVE, resolve)}`);
  return `{${parts.join(', ')}}`;
};

/** uid or gid; -1 leaves it as it is. */
export const id: Show = number((value) => (value === 0xffffffffn ? '-1' : String(value)));

const ALL_DESCRIPTORS = 0xffffffffn;

export const files: Family = {
  openat: [directory, plain, openFlags, modeIfCreated],
  openat2: [directory, plain, openHow, hidden],
  pipe2: [plain, descriptorFlags],
  dup3: [plain, plain, descriptorFlags],
  fcntl: [
    plain,
    oneOf(FCNTL),
    (argument, context) => {
      const seals = nameOf(FCNTL, numberOf(context.all[1]) ?? -1n) === 'F_ADD_SEALS';
      return seals ? flags(namesWith('F_SEAL_'))(argument, context) : plain(argument, context);
    },
  ],
  close_range: [
    plain,
    number((value) => (value === ALL_DESCRIPTORS ? '~0' : String(value))),
    flags(namesWith('CLOSE_RANGE_')),
  ],
  memfd_create: [plain, flags(namesWith('MFD_'))],
  mkdirat: [directory, plain, mode],
  symlinkat: [plain, directory, plain],
  unlinkat: [directory, plain, atFlags],
  linkat: [directory, plain, directory, plain, atFlags],
  renameat2: [directory, plain, directory, plain, plain],
  readlinkat: [directory, plain, plain, plain],
  fchmod: [plain, mode],
  fchmodat: [directory, plain, mode],
  fchown: [plain, id, id],
  fchownat: [directory, plain, id, id, atFlags],
  mknodat: [directory, plain, mode, plain],
  umask: [mode],
  flock: [plain, flags(namesWith('LOCK_'))],
  ppoll: [plain, hidden, plain, pointer, hidden],
};
