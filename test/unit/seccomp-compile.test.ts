import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AUDIT_ARCH, decodeFilter, SECCOMP_RET, X32_SYSCALL_BIT } from '../../src/launch/seccomp/bpf.ts';
import { compileSeccomp } from '../../src/launch/seccomp/compile.ts';
import { defaultProfile } from '../../src/launch/seccomp/default-profile.ts';
import {
  actionReturn,
  OCI_SECCOMP_OPERATORS,
  type OciSeccomp,
  type OciSeccompArgument,
  type OciSeccompRule,
} from '../../src/launch/seccomp/oci.ts';
import { compileRuntimeSeccomp } from '../../src/launch/seccomp/runtime-seccomp.ts';
import { filterFault, simulateFilter } from '../../src/launch/seccomp/simulate.ts';
import {
  type Architecture,
  type SyscallName,
  syscallNames,
  syscallNumber,
} from '../../src/sys/syscall-numbers.ts';

const ENOSYS = SECCOMP_RET.ERRNO | 38;
const EPERM = SECCOMP_RET.ERRNO | 1;

const call = (profile: OciSeccomp, name: SyscallName, args: bigint[] = [], arch: Architecture = 'x64') => {
  const nr = syscallNumber(name, arch) ?? -1;
  return simulateFilter(compileSeccomp(profile, arch).instructions, { nr, arch: AUDIT_ARCH[arch], args })
    .answer;
};
const allowing = (...syscalls: OciSeccompRule[]): OciSeccomp => ({
  defaultAction: 'SCMP_ACT_ERRNO',
  defaultErrnoRet: 38,
  syscalls,
});
const equals = (index: number, value: number): OciSeccompArgument => ({ index, value, op: 'SCMP_CMP_EQ' });

/** The meaning of a profile, said without any compiling: what the filter must answer. */
function meaning(profile: OciSeccomp, name: string, args: readonly bigint[]): number {
  const fallback = actionReturn(profile.defaultAction, profile.defaultErrnoRet);
  const answer = (rule: OciSeccompRule): number => actionReturn(rule.action, rule.errnoRet);
  const rules = (profile.syscalls ?? []).filter(
    (rule) => rule.names.includes(name) && answer(rule) !== fallback,
  );
  const first = rules.find((r) => !r.args?.length) ?? rules.find((rule) => matches(rule.args ?? [], args));
  return first ? answer(first) : fallback;
}

function matches(conditions: readonly OciSeccompArgument[], args: readonly bigint[]): boolean {
  const one = ({ index, op, value, valueTwo }: OciSeccompArgument): boolean => {
    const [a, b, c] = [args[index] ?? 0n, BigInt(value), BigInt(valueTwo ?? 0)];
    switch (op) {
      case 'SCMP_CMP_EQ':
        return a === b;
      case 'SCMP_CMP_NE':
        return a !== b;
      case 'SCMP_CMP_LT':
        return a < b;
      case 'SCMP_CMP_LE':
        return a <= b;
      case 'SCMP_CMP_GE':
        return a >= b;
      case 'SCMP_CMP_GT':
        return a > b;
      case 'SCMP_CMP_MASKED_EQ':
        return (a & b) === (c & b);
    }
  };
  const twice = new Set(conditions.map((c) => c.index)).size < conditions.length;
  return twice ? conditions.some(one) : conditions.every(one);
}

describe('compileSeccomp', () => {
  it('asks for the architecture first and kills what is foreign', () => {
    const { instructions } = compileSeccomp({ defaultAction: 'SCMP_ACT_ALLOW' }, 'x64');
    const i386 = 0x40000003;
    expect(simulateFilter(instructions, { nr: 1, arch: i386 }).answer).toBe(SECCOMP_RET.KILL_PROCESS);
  });

  it('answers ENOSYS to the x32 table, even when everything is allowed', () => {
    const { instructions } = compileSeccomp({ defaultAction: 'SCMP_ACT_ALLOW' }, 'x64');
    for (const nr of [X32_SYSCALL_BIT, X32_SYSCALL_BIT | 59, 0xffffffff])
      expect(simulateFilter(instructions, { nr, arch: AUDIT_ARCH.x64 }).answer).toBe(ENOSYS);
  });

  it('has no x32 question on arm64', () => {
    const { instructions } = compileSeccomp({ defaultAction: 'SCMP_ACT_ALLOW' }, 'arm64');
    expect(simulateFilter(instructions, { nr: X32_SYSCALL_BIT, arch: AUDIT_ARCH.arm64 }).answer).toBe(
      SECCOMP_RET.ALLOW,
    );
  });

  it('a rule without conditions outranks those with some, in either order', () => {
    const refuse: OciSeccompRule = {
      names: ['socket'],
      action: 'SCMP_ACT_ERRNO',
      errnoRet: 1,
      args: [equals(0, 40)],
    };
    const allow: OciSeccompRule = { names: ['socket'], action: 'SCMP_ACT_ALLOW' };
    expect(call(allowing(refuse, allow), 'socket', [40n])).toBe(SECCOMP_RET.ALLOW);
    expect(call(allowing(allow, refuse), 'socket', [40n])).toBe(SECCOMP_RET.ALLOW);
  });

  it('of several rules with conditions the first that matches decides', () => {
    const profile = allowing(
      { names: ['socket'], action: 'SCMP_ACT_ERRNO', args: [equals(0, 40)] },
      { names: ['socket'], action: 'SCMP_ACT_ALLOW', args: [{ index: 0, value: 41, op: 'SCMP_CMP_LE' }] },
    );
    expect([40n, 41n, 42n].map((family) => call(profile, 'socket', [family]))).toEqual([
      EPERM,
      SECCOMP_RET.ALLOW,
      ENOSYS,
    ]);
  });

  it('all conditions of a rule must hold, but of two on one argument either', () => {
    const both = allowing({ names: ['prctl'], action: 'SCMP_ACT_ALLOW', args: [equals(0, 1), equals(1, 2)] });
    expect(call(both, 'prctl', [1n, 2n])).toBe(SECCOMP_RET.ALLOW);
    expect(call(both, 'prctl', [1n, 3n])).toBe(ENOSYS);
    const either = allowing({
      names: ['prctl'],
      action: 'SCMP_ACT_ALLOW',
      args: [equals(0, 1), equals(0, 2)],
    });
    expect([1n, 2n, 3n].map((n) => call(either, 'prctl', [n]))).toEqual([
      SECCOMP_RET.ALLOW,
      SECCOMP_RET.ALLOW,
      ENOSYS,
    ]);
  });

  it('compares all 64 bits', () => {
    const profile = allowing({ names: ['prctl'], action: 'SCMP_ACT_ALLOW', args: [equals(0, 7)] });
    expect(call(profile, 'prctl', [7n])).toBe(SECCOMP_RET.ALLOW);
    expect(call(profile, 'prctl', [7n + (1n << 32n)])).toBe(ENOSYS);
  });

  it('reports the names it cannot place and goes on', () => {
    const profile = allowing({
      names: ['read', 'open', 'a_call_of_tomorrow', 'toString'],
      action: 'SCMP_ACT_ALLOW',
    });
    expect(compileSeccomp(profile, 'x64').ignored).toEqual(['a_call_of_tomorrow', 'toString']);
    expect(compileSeccomp(profile, 'arm64').ignored).toEqual(['open', 'a_call_of_tomorrow', 'toString']);
    expect(call(profile, 'read', [], 'arm64')).toBe(SECCOMP_RET.ALLOW);
  });

  it('encodes struct sock_filter, and passes the flags on', () => {
    const { instructions, bytes, flags } = compileSeccomp(
      {
        defaultAction: 'SCMP_ACT_ALLOW',
        flags: ['SECCOMP_FILTER_FLAG_LOG', 'SECCOMP_FILTER_FLAG_SPEC_ALLOW'],
      },
      'x64',
    );
    expect(decodeFilter(bytes)).toEqual(instructions);
    expect([...bytes.subarray(0, 8)]).toEqual([0x20, 0, 0, 0, 4, 0, 0, 0]);
    expect(flags).toBe(6);
  });

  it('jumps farther than 255 instructions', () => {
    const many = Array.from(
      { length: 400 },
      (_, value): OciSeccompRule => ({
        names: ['prctl', 'ioctl'],
        action: 'SCMP_ACT_ERRNO',
        errnoRet: 100 + (value % 7),
        args: [equals(1, value * 3)],
      }),
    );
    const profile = allowing({ names: ['read', 'write', 'statx'], action: 'SCMP_ACT_ALLOW' }, ...many);
    const { instructions } = compileSeccomp(profile, 'x64');
    expect(instructions.length).toBeGreaterThan(1000);
    expect(filterFault(instructions)).toBeUndefined();
    for (const value of [0, 1, 3, 597, 1197, 1200])
      expect(call(profile, 'ioctl', [0n, BigInt(value)])).toBe(
        meaning(profile, 'ioctl', [0n, BigInt(value)]),
      );
    expect(call(profile, 'read')).toBe(SECCOMP_RET.ALLOW);
  });
});

describe('compileRuntimeSeccomp', () => {
  it('compiles what a config.json holds, and refuses it with its place when it is wrong', () => {
    const profile = defaultProfile(['CAP_SYS_CHROOT'], 'x64');
    const stored = JSON.parse(JSON.stringify(profile));
    expect(compileRuntimeSeccomp(stored, 'x64').bytes).toEqual(compileSeccomp(profile, 'x64').bytes);
    expect(() => compileRuntimeSeccomp({ defaultAction: 'SCMP_ACT_NOTIFY' }, 'x64')).toThrow(
      'linux.seccomp.defaultAction is SCMP_ACT_NOTIFY',
    );
    const rules = Array.from({ length: 1500 }, (_, value) => ({
      names: ['prctl'],
      action: 'SCMP_ACT_ALLOW',
      args: [equals(0, value * 2)],
    }));
    expect(() => compileRuntimeSeccomp({ defaultAction: 'SCMP_ACT_ERRNO', syscalls: rules }, 'x64')).toThrow(
      'instructions; the kernel takes 4096',
    );
  });
});

describe('property: the filter says what the profile means', () => {
  const names = syscallNames().filter((name) => syscallNumber(name, 'x64') !== undefined);
  const word = fc.oneof(
    fc.constantFrom(0n, 1n, 0xffffffffn, 0x100000000n, 0x7e020000n, 0xffffffffffffffffn),
    fc.bigInt(0n, 0xffffffffffffffffn),
  );
  const argument = fc.record({
    index: fc.nat(5),
    op: fc.constantFrom(...OCI_SECCOMP_OPERATORS),
    value: word,
    valueTwo: word,
  });
  const action = fc.constantFrom(
    'SCMP_ACT_ALLOW',
    'SCMP_ACT_ERRNO',
    'SCMP_ACT_LOG',
    'SCMP_ACT_KILL_PROCESS',
  ) as fc.Arbitrary<OciSeccompRule['action']>;
  const rule = fc.record({
    names: fc.uniqueArray(fc.constantFrom(...names), { minLength: 1, maxLength: 60 }),
    action,
    errnoRet: fc.nat(4095),
    args: fc.oneof(
      { weight: 2, arbitrary: fc.array(argument, { maxLength: 0 }) },
      { weight: 3, arbitrary: fc.array(argument, { maxLength: 4 }) },
    ),
  });
  const profile = fc.record({
    defaultAction: action,
    defaultErrnoRet: fc.nat(4095),
    syscalls: fc.array(rule, { maxLength: 12 }),
  });

  it('for every call of the table and the values that conditions name', () => {
    fc.assert(
      fc.property(profile, fc.array(word, { minLength: 6, maxLength: 6 }), (random, args) => {
        const { instructions } = compileSeccomp(random, 'x64');
        expect(filterFault(instructions)).toBeUndefined();
        const hits = random.syscalls.map((r) => {
          const list = [...args];
          for (const a of r.args)
            list[a.index] = a.op === 'SCMP_CMP_MASKED_EQ' ? a.value & a.valueTwo : a.value;
          return list;
        });
        for (const name of names) {
          const nr = syscallNumber(name, 'x64') ?? -1;
          for (const list of [args, ...hits]) {
            const { answer } = simulateFilter(instructions, { nr, arch: AUDIT_ARCH.x64, args: list });
            if (answer !== meaning(random, name, list))
              expect.fail(`${name}(${list}) is ${answer.toString(16)}`);
          }
        }
      }),
      { numRuns: 60 },
    );
  });
});
