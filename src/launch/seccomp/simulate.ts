/**
 * What the kernel does with a filter, for tests and `tsrun explain`: the checks of seccomp_check_filter() (kernel/seccomp.c) and
 * of bpf_check_classic() (net/core/filter.c), and the execution of the opcodes that this compiler and libseccomp emit.
 */
import { BPF, type Instruction, MAX_INSTRUCTIONS, SECCOMP_DATA } from './bpf.ts';

/** struct seccomp_data without the instruction pointer. Arguments are unsigned 64-bit; missing ones are 0. */
export interface SeccompData {
  readonly nr: number;
  readonly arch: number;
  readonly args?: readonly bigint[];
}

const KNOWN: ReadonlySet<number> = new Set(Object.values(BPF));
const isConditional = (code: number): boolean => (code & 7) === 5 && code !== BPF.JUMP;

/** Why the kernel would refuse the filter, or undefined when it takes it. */
export function filterFault(filter: readonly Instruction[]): string | undefined {
  if (filter.length === 0 || filter.length > MAX_INSTRUCTIONS) return `${filter.length} instructions`;
  for (const [at, { code, jt, jf, k }] of filter.entries()) {
    if (!KNOWN.has(code)) return `opcode 0x${code.toString(16)} at ${at}`;
    if (code === BPF.LOAD && (k >= 64 || k % 4 !== 0)) return `load of offset ${k} at ${at}`;
    if (![jt, jf].every((skip) => Number.isInteger(skip) && skip >= 0 && skip <= 255))
      return `jump of ${jt}, ${jf} at ${at}`;
    const farthest = isConditional(code) ? Math.max(jt, jf) : code === BPF.JUMP ? k : 0;
    if (at + 1 + farthest > filter.length - (code === BPF.RETURN ? 0 : 1))
      return `jump past the end at ${at}`;
  }
  return filter.at(-1)?.code === BPF.RETURN ? undefined : 'no return at the end';
}

/** The filter's answer (SECCOMP_RET_* with its number) and how many instructions it took. Throws RangeError for a filter with a fault. */
export function simulateFilter(
  filter: readonly Instruction[],
  data: SeccompData,
): { answer: number; steps: number } {
  let accumulator = 0;
  let steps = 0;
  for (let at = 0; ; at++) {
    const instruction = filter[at];
    // Jumps only go forward, so no instruction is executed twice.
    if (!instruction || steps > filter.length) throw new RangeError(`the filter does not end at ${at}`);
    const { code, jt, jf, k } = instruction;
    steps++;
    if (code === BPF.RETURN) return { answer: k, steps };
    if (code === BPF.LOAD) accumulator = word(data, k);
    else if (code === BPF.AND) accumulator = (accumulator & k) >>> 0;
    else if (code === BPF.JUMP) at += k;
    else at += holds(code, accumulator, k) ? jt : jf;
  }
}

function holds(code: number, a: number, k: number): boolean {
  if (code === BPF.IF_EQUAL) return a === k;
  if (code === BPF.IF_GREATER) return a > k;
  if (code === BPF.IF_GREATER_EQUAL) return a >= k;
  if (code === BPF.IF_SET) return (a & k) !== 0;
  throw new RangeError(`unknown opcode 0x${code.toString(16)}`);
}

/** The 32-bit word at `offset` of struct seccomp_data. */
function word(data: SeccompData, offset: number): number {
  if (offset === SECCOMP_DATA.nr) return data.nr >>> 0;
  if (offset === SECCOMP_DATA.arch) return data.arch >>> 0;
  if (offset < SECCOMP_DATA.low(0)) return 0;
  const argument = data.args?.[(offset - 16) >> 3] ?? 0n;
  return Number((offset & 4 ? argument >> 32n : argument) & 0xffffffffn);
}
