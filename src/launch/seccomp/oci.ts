/** `linux.seccomp` of the OCI runtime configuration (runtime-spec config-linux.md, "Seccomp"), as far as tsrun enforces it. */
import { ERRNO } from '../../sys/errno.ts';
import { SECCOMP_RET } from './bpf.ts';

export type OciSeccompAction =
  | 'SCMP_ACT_KILL'
  | 'SCMP_ACT_KILL_PROCESS'
  | 'SCMP_ACT_KILL_THREAD'
  | 'SCMP_ACT_TRAP'
  | 'SCMP_ACT_ERRNO'
  | 'SCMP_ACT_TRACE'
  | 'SCMP_ACT_LOG'
  | 'SCMP_ACT_ALLOW';

export const OCI_SECCOMP_OPERATORS = [
  'SCMP_CMP_EQ',
  'SCMP_CMP_NE',
  'SCMP_CMP_LT',
  'SCMP_CMP_LE',
  'SCMP_CMP_GE',
  'SCMP_CMP_GT',
  'SCMP_CMP_MASKED_EQ',
] as const;
export type OciSeccompOperator = (typeof OCI_SECCOMP_OPERATORS)[number];

/** A condition on argument `index` (0–5), compared as an unsigned 64-bit number; MASKED_EQ: (argument & value) == valueTwo. */
export interface OciSeccompArgument {
  index: number;
  value: number | bigint;
  valueTwo?: number | bigint;
  op: OciSeccompOperator;
}

export interface OciSeccompRule {
  names: string[];
  action: OciSeccompAction;
  /** For ERRNO and TRACE; EPERM when it is not there. */
  errnoRet?: number;
  args?: OciSeccompArgument[];
}

export interface OciSeccomp {
  defaultAction: OciSeccompAction;
  defaultErrnoRet?: number;
  architectures?: string[];
  flags?: string[];
  syscalls?: OciSeccompRule[];
}

const RETURN: Record<OciSeccompAction, number> = {
  // As libseccomp: "kill" without more is the thread.
  SCMP_ACT_KILL: SECCOMP_RET.KILL_THREAD,
  SCMP_ACT_KILL_THREAD: SECCOMP_RET.KILL_THREAD,
  SCMP_ACT_KILL_PROCESS: SECCOMP_RET.KILL_PROCESS,
  SCMP_ACT_TRAP: SECCOMP_RET.TRAP,
  SCMP_ACT_ERRNO: SECCOMP_RET.ERRNO,
  SCMP_ACT_TRACE: SECCOMP_RET.TRACE,
  SCMP_ACT_LOG: SECCOMP_RET.LOG,
  SCMP_ACT_ALLOW: SECCOMP_RET.ALLOW,
};

export const OCI_SECCOMP_ACTIONS = Object.keys(RETURN) as OciSeccompAction[];

/** What a filter answers for `action`: linux/seccomp.h SECCOMP_RET_*, with `errnoRet` in the lower bits of ERRNO and TRACE. */
export function actionReturn(action: OciSeccompAction, errnoRet: number = ERRNO.EPERM): number {
  const carriesNumber = action === 'SCMP_ACT_ERRNO' || action === 'SCMP_ACT_TRACE';
  return (RETURN[action] | (carriesNumber ? errnoRet & 0xffff : 0)) >>> 0;
}

/** linux/seccomp.h SECCOMP_FILTER_FLAG_*, by the names of the runtime specification. */
export const OCI_SECCOMP_FLAGS: Readonly<Record<string, number>> = {
  SECCOMP_FILTER_FLAG_TSYNC: 1,
  SECCOMP_FILTER_FLAG_LOG: 2,
  SECCOMP_FILTER_FLAG_SPEC_ALLOW: 4,
};

/** The names by which an OCI profile calls the two architectures. */
export const OCI_ARCHITECTURE = { x64: 'SCMP_ARCH_X86_64', arm64: 'SCMP_ARCH_AARCH64' } as const;
/** The one that is filtered besides them. */
export const OCI_ARCHITECTURE_I386 = 'SCMP_ARCH_X86';
