/** Our compiler and libseccomp must decide alike: every system call number, arguments at every border of every condition. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AUDIT_ARCH, SECCOMP_RET } from '../../src/launch/seccomp/bpf.ts';
import { compileSeccomp } from '../../src/launch/seccomp/compile.ts';
import { defaultProfile } from '../../src/launch/seccomp/default-profile.ts';
import { OCI_SECCOMP_OPERATORS, type OciSeccomp } from '../../src/launch/seccomp/oci.ts';
import { simulateFilter } from '../../src/launch/seccomp/simulate.ts';
import {
  type Architecture,
  type SyscallName,
  syscallNames,
  syscallNumber,
} from '../../src/sys/syscall-numbers.ts';
import { haveLibseccomp, libseccompFilter } from './support/libseccomp.ts';

const PODMAN_CAPABILITIES = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_FOWNER',
  'CAP_FSETID',
  'CAP_KILL',
  'CAP_NET_BIND_SERVICE',
  'CAP_SETFCAP',
  'CAP_SETGID',
  'CAP_SETPCAP',
  'CAP_SETUID',
  'CAP_SYS_CHROOT',
];

/** Numbers that a condition turns on, and their neighbours, in both halves of the register. */
function interestingValues(profile: OciSeccomp, index: number): bigint[] {
  const values = new Set<bigint>([0n, 1n, 0xffffffffn, 0x100000000n, 0xffffffffffffffffn]);
  for (const argument of (profile.syscalls ?? []).flatMap((rule) => rule.args ?? [])) {
    if (argument.index !== index) continue;
    for (const datum of [BigInt(argument.value), BigInt(argument.valueTwo ?? 0)])
      for (const value of [datum, datum - 1n, datum + 1n, datum | (1n << 40n), datum ^ 0x80000000n])
        values.add(BigInt.asUintN(64, value));
  }
  for (let bit = 0n; bit < 64n; bit++) if (index === 0) values.add(1n << bit);
  return [...values];
}

/** Names that Debian 12's libseccomp (2.5) does not know: both tables must speak of the same calls to be compared. */
function withoutNewNames(profile: OciSeccomp, arch: Architecture): OciSeccomp {
  const newest = 450;
  const old = (name: string) => syscallNumber(name as SyscallName, arch) ?? -1;
  const known = (name: string) => old(name) >= 0 && old(name) <= newest && !/^u(ret)?probe$/.test(name);
  return {
    ...profile,
    syscalls: (profile.syscalls ?? []).map((rule) => ({ ...rule, names: rule.names.filter(known) })),
  };
}

function expectAgreement(profile: OciSeccomp, arch: Architecture): void {
  const ours = compileSeccomp(profile, arch).instructions;
  const theirs = libseccompFilter(profile, arch);
  const differences: string[] = [];
  const first = interestingValues(profile, 0);
  const others = [1, 2].map((index) => interestingValues(profile, index).slice(0, 12));
  const conditional = new Set((profile.syscalls ?? []).filter((r) => r.args?.length).flatMap((r) => r.names));
  const numbers = new Set<number | undefined>(
    syscallNames().flatMap((name) => (conditional.has(name) ? [syscallNumber(name, arch)] : [])),
  );
  for (let nr = 0; nr < 520; nr++) {
    const args = numbers.has(nr)
      ? first.flatMap((a) => (others[0] ?? []).flatMap((b) => (others[1] ?? []).map((c) => [a, b, c])))
      : [[0n, 0n, 0n]];
    for (const list of args) {
      const data = { nr, arch: AUDIT_ARCH[arch], args: list };
      const [mine, yours] = [simulateFilter(ours, data).answer, simulateFilter(theirs, data).answer];
      if (mine !== yours) differences.push(`${nr}(${list}): ${mine.toString(16)} ≠ ${yours.toString(16)}`);
    }
  }
  expect(differences.slice(0, 10)).toEqual([]);
}

describe.skipIf(!haveLibseccomp)('against libseccomp', () => {
  const architectures: Architecture[] = ['x64', 'arm64'];
  for (const arch of architectures) {
    it(`the default profile on ${arch}`, () => {
      expectAgreement(withoutNewNames(defaultProfile(PODMAN_CAPABILITIES, arch), arch), arch);
    });
    it(`the default profile with CAP_SYS_ADMIN and CAP_AUDIT_WRITE on ${arch}`, () => {
      const profile = defaultProfile([...PODMAN_CAPABILITIES, 'CAP_SYS_ADMIN', 'CAP_AUDIT_WRITE'], arch);
      expectAgreement(withoutNewNames(profile, arch), arch);
    });
  }

  it('kills a foreign architecture, as libseccomp does, but the whole process', () => {
    const profile = defaultProfile([], 'x64');
    const data = { nr: 0, arch: AUDIT_ARCH.arm64 };
    expect(simulateFilter(libseccompFilter(profile, 'x64'), data).answer).toBe(SECCOMP_RET.KILL_THREAD);
    expect(simulateFilter(compileSeccomp(profile, 'x64').instructions, data).answer).toBe(
      SECCOMP_RET.KILL_PROCESS,
    );
  });

  it('every operator, one condition or two, any 64-bit numbers', () => {
    const word = fc.oneof(
      fc.constantFrom(
        0n,
        1n,
        0x7fffffffn,
        0xffffffffn,
        0x100000000n,
        0xffffffff00000000n,
        0xffffffffffffffffn,
      ),
      fc.bigInt(0n, 0xffffffffffffffffn),
    );
    const argument = (index: number) =>
      fc.record({
        index: fc.constant(index),
        op: fc.constantFrom(...OCI_SECCOMP_OPERATORS),
        value: word,
        valueTwo: word,
      });
    const args = fc.oneof(
      argument(0).map((a) => [a]),
      fc.tuple(argument(0), argument(1)),
    );
    fc.assert(
      fc.property(args, fc.array(fc.tuple(word, word), { minLength: 1, maxLength: 20 }), (list, probes) => {
        const profile: OciSeccomp = {
          defaultAction: 'SCMP_ACT_ERRNO',
          syscalls: [{ names: ['prctl'], action: 'SCMP_ACT_ALLOW', args: list }],
        };
        const [ours, theirs] = [
          compileSeccomp(profile, 'x64').instructions,
          libseccompFilter(profile, 'x64'),
        ];
        const near = list.map((a) =>
          [a.value, a.value + 1n, a.value - 1n, a.valueTwo].map((v) => BigInt.asUintN(64, v)),
        );
        const borders = (near[0] ?? []).flatMap((a) => (near[1] ?? [0n]).map((b) => [a, b]));
        for (const values of [...probes, ...borders]) {
          const data = { nr: 157, arch: AUDIT_ARCH.x64, args: values };
          expect(simulateFilter(ours, data).answer).toBe(simulateFilter(theirs, data).answer);
        }
      }),
      { numRuns: 150 },
    );
  });
});
