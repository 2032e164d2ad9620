/** mount(2) and its successors. */
import { MOUNT_ATTR__ATIME } from '../../sys/constants.ts';
import {
  type Family,
  flags,
  hidden,
  membersOf,
  number,
  numberOf,
  oneOf,
  plain,
  pointer,
  type Show,
} from './arguments.ts';
import { atFlags, directory } from './files.ts';
import { flagsOf, joined, type Names, nameOf, namesOf, namesWith } from './names.ts';

/** mount(2): those without a use in constants.ts too, as OCI configurations may ask for them. */
const MS = joined(
  namesWith('MS_'),
  namesOf({
    MS_NOEXEC: 8,
    MS_REMOUNT: 0x20,
    MS_MOVE: 0x2000,
    MS_UNBINDABLE: 0x20000,
    MS_RELATIME: 0x200000,
  }),
);
const ATTRIBUTES: Names = new Map(
  [...namesWith('MOUNT_ATTR_', 'MOUNT_ATTR__')].filter(([bits]) => bits !== 0n),
);
const UMOUNT = joined(namesWith('MNT_'), namesOf({ MNT_FORCE: 1, UMOUNT_NOFOLLOW: 8 }));
const FSCONFIG = namesWith('FSCONFIG_');

/** struct mount_attr (mount_setattr(2)): only the members that are not 0. */
const mountAttr: Show = (argument, context) => {
  const members = membersOf(argument);
  if (members.length !== 4 || members.includes(undefined)) return plain(argument, context);
  const [set = 0n, clear = 0n, propagation = 0n, userns = 0n] = members;
  const parts: string[] = [];
  if (set) parts.push(`attr_set=${flagsOf(ATTRIBUTES, set)}`);
  if (clear)
    parts.push(
      `attr_clr=${clear === BigInt(MOUNT_ATTR__ATIME) ? 'MOUNT_ATTR__ATIME' : flagsOf(ATTRIBUTES, clear)}`,
    );
  if (propagation) parts.push(`propagation=${nameOf(MS, propagation)}`);
  if (userns) parts.push(`userns_fd=${userns}`);
  return `{${parts.join(', ')}}`;
};

/** Key and value of fsconfig(2): which of them count depends on the command. */
const ifSetting: Show = (argument, context) => {
  const command = nameOf(FSCONFIG, numberOf(context.all[1]) ?? -1n);
  if (command.startsWith('FSCONFIG_CMD')) return undefined;
  return command === 'FSCONFIG_SET_FLAG' && numberOf(argument) === 0n ? undefined : plain(argument, context);
};

/** The fifth argument of fsconfig(2) is a descriptor for FSCONFIG_SET_FD, otherwise nothing. */
const unlessZero: Show = number((value) => (value === 0n ? undefined : String(value)));

const path: Show = pointer;

export const mounts: Family = {
  mount: [path, plain, path, flags(MS), pointer],
  umount2: [plain, flags(UMOUNT)],
  pivot_root: [plain, plain],
  open_tree: [directory, plain, flags(joined(namesWith('OPEN_TREE_'), namesWith('AT_', 'AT_FDCWD')))],
  move_mount: [directory, plain, directory, plain, flags(namesWith('MOVE_MOUNT_'))],
  fsopen: [plain, flags(namesWith('FSOPEN_'))],
  fsconfig: [plain, oneOf(FSCONFIG), ifSetting, ifSetting, unlessZero],
  fsmount: [plain, flags(namesWith('FSMOUNT_')), flags(ATTRIBUTES)],
  mount_setattr: [directory, plain, atFlags, mountAttr, hidden],
};
