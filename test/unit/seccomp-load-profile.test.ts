import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { TsrunError } from '../../src/errors.ts';
import { AUDIT_ARCH, SECCOMP_RET } from '../../src/launch/seccomp/bpf.ts';
import { compileSeccomp } from '../../src/launch/seccomp/compile.ts';
import { loadSeccompProfile } from '../../src/launch/seccomp/load-profile.ts';
import type { ProfileTarget } from '../../src/launch/seccomp/profile-target.ts';
import { simulateFilter } from '../../src/launch/seccomp/simulate.ts';

const TARGET: ProfileTarget = {
  arch: 'x64',
  capabilities: ['CAP_SYS_CHROOT'],
  kernelRelease: '6.1.0-37-amd64',
};
const load = (profile: unknown, target = TARGET) =>
  loadSeccompProfile('p.json', JSON.stringify(profile), target);
const names = (profile: unknown, target = TARGET) =>
  load(profile, target).syscalls?.flatMap((rule) => rule.names);

const rule = (more: object = {}) => ({ names: ['read'], action: 'SCMP_ACT_ALLOW', ...more });
const profile = (...syscalls: object[]) => ({ defaultAction: 'SCMP_ACT_ERRNO', syscalls });

describe('loadSeccompProfile', () => {
  it('takes an OCI object as it is', () => {
    const oci = {
      defaultAction: 'SCMP_ACT_ERRNO',
      defaultErrnoRet: 38,
      architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86'],
      flags: ['SECCOMP_FILTER_FLAG_LOG'],
      syscalls: [rule({ args: [{ index: 0, value: 1, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }] })],
    };
    expect(load(oci)).toEqual(oci);
  });

  it('keeps all 64 bits of a number', () => {
    const text = `{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["prctl"],"action":"SCMP_ACT_ERRNO",
      "args":[{"index":0,"value":18446744073709551615,"op":"SCMP_CMP_EQ"}]}]}`;
    const loaded = loadSeccompProfile('p.json', text, TARGET);
    expect(loaded.syscalls?.[0]?.args?.[0]?.value).toBe(0xffffffffffffffffn);
  });

  it('reads what only docker and podman write', () => {
    const loaded = load({
      defaultAction: 'SCMP_ACT_ERRNO',
      defaultErrno: 'ENOSYS',
      defaultErrnoRet: 1,
      archMap: [{ architecture: 'SCMP_ARCH_X86_64', subArchitectures: ['SCMP_ARCH_X86'] }],
      syscalls: [
        { name: 'read', action: 'SCMP_ACT_ALLOW', args: null, comment: '', includes: {}, excludes: {} },
        { names: ['write'], action: 'SCMP_ACT_ERRNO', errno: 'EINVAL', errnoRet: 1 },
      ],
    });
    expect(loaded).toEqual({
      defaultAction: 'SCMP_ACT_ERRNO',
      defaultErrnoRet: 38,
      architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86'],
      syscalls: [
        { names: ['read'], action: 'SCMP_ACT_ALLOW' },
        { names: ['write'], action: 'SCMP_ACT_ERRNO', errnoRet: 22 },
      ],
    });
  });

  it.each([
    ['includes', { caps: ['CAP_SYS_CHROOT'] }, true],
    ['includes', { caps: ['CAP_SYS_CHROOT', 'CAP_BPF'] }, false],
    ['excludes', { caps: ['CAP_BPF', 'CAP_SYS_CHROOT'] }, false],
    ['excludes', { caps: ['CAP_BPF'] }, true],
    ['includes', { arches: ['amd64', 'x32'] }, true],
    ['includes', { arches: ['arm64'] }, false],
    ['excludes', { arches: ['amd64'] }, false],
    ['includes', { minKernel: '4.8' }, true],
    ['includes', { minKernel: '6.1' }, true],
    ['includes', { minKernel: '6.10' }, false],
    ['excludes', { minKernel: '4.8' }, false],
    ['excludes', { minKernel: '6.10' }, true],
  ])('%s %j', (key, condition, inForce) => {
    expect(names(profile(rule({ [key]: condition })))).toEqual(inForce ? ['read'] : []);
  });

  it.each<[string, unknown, string]>([
    ['no default', { syscalls: [] }, 'defaultAction is missing: one of'],
    [
      'an unknown action',
      profile(rule({ action: 'SCMP_ACT_MAYBE' })),
      'syscalls[0].action is "SCMP_ACT_MAYBE", none of',
    ],
    [
      'a listener',
      profile(rule({ action: 'SCMP_ACT_NOTIFY' })),
      'syscalls[0].action is SCMP_ACT_NOTIFY, which needs',
    ],
    ['a listener path', { ...profile(), listenerPath: '/x' }, 'listenerPath asks for a listener'],
    ['a misspelt field', profile(rule({ arg: [] })), 'syscalls[0].arg is not a field'],
    ['no names', profile({ action: 'SCMP_ACT_ALLOW' }), 'syscalls[0] names no system call'],
    [
      'an index',
      profile(rule({ args: [{ index: 6, value: 0, op: 'SCMP_CMP_EQ' }] })),
      'args[0].index is not an integer from 0 to 5',
    ],
    [
      'a negative value',
      profile(rule({ args: [{ index: 0, value: -1, op: 'SCMP_CMP_EQ' }] })),
      'args[0].value is not an integer',
    ],
    [
      'an operator',
      profile(rule({ args: [{ index: 0, value: 1, op: '==' }] })),
      'args[0].op is "==", none of',
    ],
    [
      'an errno',
      profile(rule({ action: 'SCMP_ACT_ERRNO', errnoRet: 4096 })),
      'errnoRet is not an integer from 0 to 4095',
    ],
    ['an errno name', profile(rule({ errno: 'ENOPE' })), 'syscalls[0].errno is "ENOPE"'],
    ['a flag', { ...profile(), flags: ['FAST'] }, 'flags[0] is "FAST"'],
    [
      'foreign architectures',
      { ...profile(), architectures: ['SCMP_ARCH_AARCH64'] },
      'this machine is SCMP_ARCH_X86_64',
    ],
    ['a condition', profile(rule({ includes: { cap: [] } })), 'syscalls[0].includes.cap is not a field'],
    ['a kernel', profile(rule({ includes: { minKernel: 'new' } })), 'minKernel is not a version'],
    ['a list that is none', { ...profile(), syscalls: {} }, 'syscalls is not a list'],
    ['no object', [], 'the profile is not an object'],
  ])('refuses %s, and says where', (_, bad, problem) => {
    expect(() => load(bad)).toThrow(`cannot use the seccomp profile p.json: `);
    expect(() => load(bad)).toThrow(problem);
  });

  it('refuses what is not JSON with the parser’s words', () => {
    const error = (() => {
      try {
        return loadSeccompProfile('p.json', '{', TARGET);
      } catch (e) {
        return e as TsrunError;
      }
    })() as TsrunError;
    expect(error.code).toBe('ERR_TSRUN_SECCOMP_PROFILE');
    expect(String(error.cause)).toContain('SyntaxError');
  });

  const packaged = '/usr/share/containers/seccomp.json';
  it.runIf(existsSync(packaged))('loads podman’s own profile', () => {
    const loaded = loadSeccompProfile(packaged, readFileSync(packaged, 'utf8'), TARGET);
    const { instructions } = compileSeccomp(loaded, 'x64');
    const answer = (nr: number) => simulateFilter(instructions, { nr, arch: AUDIT_ARCH.x64 }).answer;
    expect([answer(0), answer(161), answer(321), answer(9999)]).toEqual([
      SECCOMP_RET.ALLOW, // read
      SECCOMP_RET.ALLOW, // chroot, by its capability
      SECCOMP_RET.ERRNO | 1, // bpf, which asks for another
      SECCOMP_RET.ERRNO | 38,
    ]);
  });
});
