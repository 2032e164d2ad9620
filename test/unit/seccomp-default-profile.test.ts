import { describe, expect, it } from 'vitest';
import { AUDIT_ARCH, AUDIT_ARCH_I386, SECCOMP_RET } from '../../src/launch/seccomp/bpf.ts';
import { compileSeccomp } from '../../src/launch/seccomp/compile.ts';
import { WITH_CAPABILITY } from '../../src/launch/seccomp/default-groups.ts';
import { defaultProfile, defaultProfileGroups } from '../../src/launch/seccomp/default-profile.ts';
import { i386Number } from '../../src/launch/seccomp/i386-numbers.ts';
import { filterFault, simulateFilter } from '../../src/launch/seccomp/simulate.ts';
import { ERRNO } from '../../src/sys/errno.ts';
import {
  type Architecture,
  isSyscallName,
  type SyscallName,
  syscallNames,
  syscallNumber,
} from '../../src/sys/syscall-numbers.ts';

function decide(
  capabilities: string[],
  name: SyscallName,
  args: bigint[] = [],
  arch: Architecture = 'x64',
): string {
  const { instructions } = compileSeccomp(defaultProfile(capabilities, arch), arch);
  const nr = syscallNumber(name, arch) ?? -1;
  const { answer } = simulateFilter(instructions, { nr, arch: AUDIT_ARCH[arch], args });
  if (answer === SECCOMP_RET.ALLOW) return 'allow';
  return (
    Object.entries(ERRNO).find(([, number]) => (SECCOMP_RET.ERRNO | number) === answer)?.[0] ?? `${answer}`
  );
}

describe('the default profile', () => {
  it('names only calls of the table, each in one group', () => {
    const own = ['clone', 'clone3', 'socket', 'personality'];
    const seen = new Map<string, string>(own.map((name) => [name, 'rules of their own']));
    const alsoBySysAdmin = new Set(['bpf', 'perf_event_open', 'syslog']);
    for (const group of defaultProfileGroups()) {
      for (const name of group.names) {
        expect(isSyscallName(name) || i386Number(name) !== undefined, name).toBe(true);
        if (!alsoBySysAdmin.has(name)) expect(seen.get(name), name).toBeUndefined();
        seen.set(name, group.topic);
      }
    }
    const unmentioned = syscallNames()
      .filter((name) => !seen.has(name))
      .sort();
    // Calls that no kernel of today has; the default, ENOSYS, is the truth about them.
    expect(unmentioned).toEqual(['afs_syscall', 'getpmsg', 'putpmsg', 'security', 'tuxcall', 'vserver']);
  });

  it('is a valid filter of modest size, and no decision takes long', () => {
    for (const arch of ['x64', 'arm64'] as const) {
      const { instructions } = compileSeccomp(defaultProfile(['CAP_SYS_CHROOT'], arch), arch);
      expect(filterFault(instructions)).toBeUndefined();
      expect(instructions.length).toBeLessThan(arch === 'x64' ? 320 : 140);
      for (let nr = 0; nr < 500; nr++)
        expect(simulateFilter(instructions, { nr, arch: AUDIT_ARCH[arch] }).steps).toBeLessThan(32);
    }
  });

  it.each(
    WITH_CAPABILITY.flatMap((g) =>
      g.names.filter(isSyscallName).map((name) => [g.capability, name] as [string, SyscallName]),
    ),
  )('with %s %s is allowed, without it EPERM', (capability, name) => {
    expect(decide([], name)).toBe(syscallNumber(name, 'x64') === undefined ? 'ENOSYS' : 'EPERM');
    expect(decide([capability], name)).toBe('allow');
  });

  it('refuses new namespaces by clone and hides clone3', () => {
    const pthread = 0x3d0f00n;
    for (const flag of [
      0x20000n,
      0x02000000n,
      0x04000000n,
      0x08000000n,
      0x10000000n,
      0x20000000n,
      0x40000000n,
    ])
      expect(decide([], 'clone', [flag | 17n])).toBe('EPERM');
    expect(decide([], 'clone', [pthread])).toBe('allow');
    expect(decide([], 'clone', [17n])).toBe('allow');
    expect(decide([], 'clone', [0n])).toBe('allow');
    expect(decide([], 'clone3')).toBe('ENOSYS');
    expect(decide(['CAP_SYS_ADMIN'], 'clone', [0x10000000n])).toBe('allow');
    expect(decide(['CAP_SYS_ADMIN'], 'clone3')).toBe('allow');
  });

  it('lets no high bits of a register hide an int', () => {
    expect(decide([], 'socket', [40n])).toBe('EAFNOSUPPORT');
    expect(decide([], 'socket', [40n | (1n << 32n)])).toBe('EAFNOSUPPORT');
    expect(decide([], 'socket', [16n | (7n << 40n), 3n, 9n | (1n << 63n)])).toBe('EINVAL');
    expect(decide([], 'socket', [16n, 3n, 0n])).toBe('allow');
    expect(decide([], 'socket', [2n, 1n, 0n])).toBe('allow');
    expect(decide(['CAP_AUDIT_WRITE'], 'socket', [16n, 3n, 9n])).toBe('allow');
  });

  it('allows the harmless personalities only', () => {
    for (const value of [0n, 8n, 0x20000n, 0x20008n, 0xffffffffn])
      expect(decide([], 'personality', [value])).toBe('allow');
    for (const value of [0x0040000n, 0x0100000n, 0x0400000n])
      expect(decide([], 'personality', [value])).toBe('EPERM');
  });

  it('answers ENOSYS to the unknown', () => {
    const { instructions } = compileSeccomp(defaultProfile([], 'x64'), 'x64');
    for (const nr of [337, 423, 471, 600, 0x3fffffff])
      expect(simulateFilter(instructions, { nr, arch: AUDIT_ARCH.x64 }).answer).toBe(
        SECCOMP_RET.ERRNO | ERRNO.ENOSYS,
      );
  });

  it('has the same answers for 32-bit programs, by their numbers', () => {
    const { instructions } = compileSeccomp(defaultProfile([], 'x64'), 'x64');
    const answer = (name: string, ...args: bigint[]): string => {
      const nr = i386Number(name) ?? -1;
      const found = simulateFilter(instructions, { nr, arch: AUDIT_ARCH_I386, args }).answer;
      if (found === SECCOMP_RET.ALLOW) return 'allow';
      return Object.entries(ERRNO).find(([, n]) => (SECCOMP_RET.ERRNO | n) === found)?.[0] ?? `${found}`;
    };
    // arch/x86/entry/syscalls/syscall_32.tbl
    expect([
      i386Number('exit'),
      i386Number('waitpid'),
      i386Number('futex_time64'),
      i386Number('clone3'),
    ]).toEqual([1, 7, 422, 435]);
    for (const name of ['open', 'stat64', 'mmap2', 'socketcall', 'futex_time64', 'getuid32', 'openat2'])
      expect(answer(name), name).toBe('allow');
    for (const name of ['mount', 'unshare', 'kexec_load', 'stime', 'clock_settime64', 'reboot'])
      expect(answer(name), name).toBe('EPERM');
    expect([answer('vm86'), answer('clone3')]).toEqual(['ENOSYS', 'ENOSYS']);
    expect([answer('clone', 0x10000011n), answer('clone', 0x11n)]).toEqual(['EPERM', 'allow']);
    expect(answer('socket', 40n)).toBe('EAFNOSUPPORT');
  });
});
