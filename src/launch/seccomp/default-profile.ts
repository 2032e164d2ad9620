/**
 * The default seccomp profile: which system calls a container may make.
 *
 * An allow-list in the manner of docker's and podman's, as data: groups of calls, each with the reason why it is there. What is
 * on no list is answered ENOSYS, as by a kernel that does not have the call, so that a C library newer than this table falls
 * back to the older call; what is known and refused is answered EPERM. The profile is the second fence: user namespaces
 * and capabilities already stop what the user may not do, the profile keeps the kernel's lesser-tested parts out of reach.
 * Calls that need a capability are only allowed to a container that has it.
 */
import { AF_NETLINK } from '../../sys/constants.ts';
import { ERRNO } from '../../sys/errno.ts';
import type { Architecture } from '../../sys/syscall-numbers.ts';
import { ALLOWED, type CallGroup, REFUSED, WITH_CAPABILITY } from './default-groups.ts';
import {
  OCI_ARCHITECTURE,
  OCI_ARCHITECTURE_I386,
  type OciSeccomp,
  type OciSeccompArgument,
  type OciSeccompRule,
} from './oci.ts';

/** personality(2): PER_LINUX and PER_LINUX32, each with and without UNAME26, and the query. Others weaken ASLR or map page 0. */
const PERSONALITIES = [0x0, 0x8, 0x20000, 0x20008, 0xffffffff];

/** clone(2): NEWNS | NEWCGROUP | NEWUTS | NEWIPC | NEWUSER | NEWPID | NEWNET. NEWTIME shares its bit with the exit signal there. */
const NAMESPACE_FLAGS = 0x7e020000;

const AF_VSOCK = 40;
const NETLINK_AUDIT = 9;

/** The kernel reads an int: the upper half of the register is whatever the caller left there, and must not hide the value. */
const isInt = (index: number, value: number): OciSeccompArgument => ({
  index,
  value: 0xffffffff,
  valueTwo: value,
  op: 'SCMP_CMP_MASKED_EQ',
});

/** Says "all others" after the rules before it have answered for some: a rule without a condition would outrank those. */
const isNot = (index: number, value: number): OciSeccompArgument => ({ index, value, op: 'SCMP_CMP_NE' });

const allow = (names: readonly string[], args: readonly OciSeccompArgument[] = []): OciSeccompRule => ({
  names: [...names],
  action: 'SCMP_ACT_ALLOW',
  ...(args.length > 0 && { args: [...args] }),
});
const refuse = (
  names: readonly string[],
  errnoRet: number,
  args: readonly OciSeccompArgument[] = [],
): OciSeccompRule => ({
  names: [...names],
  action: 'SCMP_ACT_ERRNO',
  errnoRet,
  ...(args.length > 0 && { args: [...args] }),
});

/** The profile for a container whose bounding set is `capabilities` (`CAP_…` names). */
export function defaultProfile(capabilities: readonly string[], arch: Architecture): OciSeccomp {
  const has = new Set(capabilities);
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: ERRNO.ENOSYS,
    architectures: [OCI_ARCHITECTURE[arch], ...(arch === 'x64' ? [OCI_ARCHITECTURE_I386] : [])],
    syscalls: [
      ...ALLOWED.filter((group) => !group.arch || group.arch === arch).map((group) => allow(group.names)),
      ...personalityRules(),
      ...socketRules(has),
      ...cloneRules(has),
      ...capabilityRules(has),
      ...REFUSED.map((group) => refuse(group.names, ERRNO[group.errno])),
    ],
  };
}

/** Every call that the profile speaks of, with its group: for `explain` and for the test that no call is in two groups. */
export function defaultProfileGroups(): readonly CallGroup[] {
  return [...ALLOWED, ...WITH_CAPABILITY, ...REFUSED];
}

function personalityRules(): OciSeccompRule[] {
  return [
    ...PERSONALITIES.map((value) => allow(['personality'], [{ index: 0, value, op: 'SCMP_CMP_EQ' }])),
    refuse(['personality'], ERRNO.EPERM, [isNot(0, 0)]),
  ];
}

/**
 * AF_VSOCK reaches the hypervisor's other guests and knows no network namespace. The audit socket answers EINVAL, as
 * from a kernel without auditing, or login tools that may not write to it give up.
 */
function socketRules(has: ReadonlySet<string>): OciSeccompRule[] {
  const vsock = refuse(['socket'], ERRNO.EAFNOSUPPORT, [isInt(0, AF_VSOCK)]);
  const audit = refuse(['socket'], ERRNO.EINVAL, [isInt(0, AF_NETLINK), isInt(2, NETLINK_AUDIT)]);
  const others = allow(['socket'], [isNot(0, AF_VSOCK)]);
  return has.has('CAP_AUDIT_WRITE') ? [vsock, others] : [vsock, audit, others];
}

/**
 * New namespaces, above all user namespaces, open much of the kernel to the caller. clone3(2) passes its flags in memory, where
 * a filter cannot see them; ENOSYS makes C libraries use clone(2), whose flags it can.
 */
function cloneRules(has: ReadonlySet<string>): OciSeccompRule[] {
  if (has.has('CAP_SYS_ADMIN')) return [allow(['clone', 'clone3'])];
  const noNamespace: OciSeccompArgument = {
    index: 0,
    value: NAMESPACE_FLAGS,
    valueTwo: 0,
    op: 'SCMP_CMP_MASKED_EQ',
  };
  return [
    allow(['clone'], [noNamespace]),
    refuse(['clone'], ERRNO.EPERM, [isNot(0, 0)]),
    refuse(['clone3'], ERRNO.ENOSYS),
  ];
}

/** A call that several capabilities open is allowed with any of them. */
function capabilityRules(has: ReadonlySet<string>): OciSeccompRule[] {
  const open = new Set(WITH_CAPABILITY.filter((g) => has.has(g.capability)).flatMap((g) => g.names));
  const closed = new Set(WITH_CAPABILITY.flatMap((g) => g.names).filter((name) => !open.has(name)));
  return [allow([...open]), refuse([...closed], ERRNO.EPERM)].filter((rule) => rule.names.length > 0);
}
