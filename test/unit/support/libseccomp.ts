/** libseccomp as an oracle: a small C program around it, compiled once per test run, when the machine has the header and a compiler. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { decodeFilter, type Instruction } from '../../../src/launch/seccomp/bpf.ts';
import {
  actionReturn,
  type OCI_SECCOMP_OPERATORS,
  type OciSeccomp,
} from '../../../src/launch/seccomp/oci.ts';
import type { Architecture } from '../../../src/sys/syscall-numbers.ts';

/** enum scmp_compare of seccomp.h, in the names of the runtime specification. */
const OPERATOR: Record<(typeof OCI_SECCOMP_OPERATORS)[number], number> = {
  SCMP_CMP_NE: 1,
  SCMP_CMP_LT: 2,
  SCMP_CMP_LE: 3,
  SCMP_CMP_EQ: 4,
  SCMP_CMP_GE: 5,
  SCMP_CMP_GT: 6,
  SCMP_CMP_MASKED_EQ: 7,
};

export const haveLibseccomp =
  existsSync('/usr/include/seccomp.h') && spawnSync('cc', ['--version']).status === 0;

let directory: string | undefined;
let binary: string | undefined;
afterAll(() => directory === undefined || rmSync(directory, { recursive: true }));

function oracle(): string {
  if (!binary) {
    directory = mkdtempSync(join(tmpdir(), 'tsrun-libseccomp-'));
    binary = join(directory, 'oracle');
    const source = new URL('libseccomp-oracle.c', import.meta.url).pathname;
    execFileSync('cc', ['-O1', '-Wall', '-o', binary, source, '-lseccomp']);
  }
  return binary;
}

/** The filter that libseccomp makes of `profile`. Rules that say what the default says are left out, as runc and crun do. */
export function libseccompFilter(profile: OciSeccomp, arch: Architecture): Instruction[] {
  const fallback = actionReturn(profile.defaultAction, profile.defaultErrnoRet);
  const lines = [`${fallback} ${arch === 'x64' ? 0 : 1}`];
  for (const rule of profile.syscalls ?? []) {
    const action = actionReturn(rule.action, rule.errnoRet);
    const args = rule.args ?? [];
    const conditions = args
      .map((a) => `${a.index} ${OPERATOR[a.op]} ${a.value} ${a.valueTwo ?? 0}`)
      .join(' ');
    if (action !== fallback)
      for (const name of rule.names) lines.push(`${action} ${name} ${args.length} ${conditions}`);
  }
  const { status, stdout, stderr } = spawnSync(oracle(), {
    input: `${lines.join('\n')}\n`,
    maxBuffer: 1 << 24,
  });
  if (status !== 0) throw new Error(`libseccomp refused the profile (${status}): ${stderr}`);
  return decodeFilter(stdout);
}
