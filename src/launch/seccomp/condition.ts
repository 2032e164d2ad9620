/** Comparing a 64-bit system call argument with a machine that has 32-bit words: the high half first, then, where it decides nothing, the low one. */
import { BPF, SECCOMP_DATA } from './bpf.ts';
import type { Decision, DecisionGraph } from './decision.ts';
import type { OciSeccompArgument } from './oci.ts';

const low = (value: bigint): number => Number(value & 0xffffffffn);
const high = (value: bigint): number => Number((value >> 32n) & 0xffffffffn);

/** Goes on at `yes` when the condition `argument` holds, else at `no`. All comparisons are unsigned, as the kernel's registers are. */
export function condition(
  graph: DecisionGraph,
  argument: OciSeccompArgument,
  yes: Decision,
  no: Decision,
): Decision {
  const value = BigInt.asUintN(64, BigInt(argument.value));
  const { index } = argument;
  switch (argument.op) {
    case 'SCMP_CMP_EQ':
      return maskedEqual(graph, index, 0xffffffffffffffffn, value, yes, no);
    case 'SCMP_CMP_NE':
      return maskedEqual(graph, index, 0xffffffffffffffffn, value, no, yes);
    case 'SCMP_CMP_GT':
      return above(graph, index, value, BPF.IF_GREATER, yes, no);
    case 'SCMP_CMP_LE':
      return above(graph, index, value, BPF.IF_GREATER, no, yes);
    case 'SCMP_CMP_GE':
      return above(graph, index, value, BPF.IF_GREATER_EQUAL, yes, no);
    case 'SCMP_CMP_LT':
      return above(graph, index, value, BPF.IF_GREATER_EQUAL, no, yes);
    case 'SCMP_CMP_MASKED_EQ':
      // "The masked argument equals the masked datum" (seccomp_rule_add(3)): bits outside the mask are ignored on both sides.
      return maskedEqual(
        graph,
        index,
        value,
        BigInt.asUintN(64, BigInt(argument.valueTwo ?? 0)) & value,
        yes,
        no,
      );
  }
}

function maskedEqual(
  g: DecisionGraph,
  index: number,
  mask: bigint,
  value: bigint,
  yes: Decision,
  no: Decision,
): Decision {
  const half = (offset: number, maskHalf: number, valueHalf: number, equal: Decision): Decision =>
    maskHalf === 0 ? equal : g.load(offset, g.and(maskHalf, g.if(BPF.IF_EQUAL, valueHalf, equal, no)));
  const lowHalf = half(SECCOMP_DATA.low(index), low(mask), low(value), yes);
  return half(SECCOMP_DATA.high(index), high(mask), high(value), lowHalf);
}

function above(
  g: DecisionGraph,
  index: number,
  value: bigint,
  lowHalf: typeof BPF.IF_GREATER | typeof BPF.IF_GREATER_EQUAL,
  yes: Decision,
  no: Decision,
): Decision {
  // Nothing is below 0, and nothing above the largest number: the graph drops a question whose answers are the same.
  const decideLow = g.load(SECCOMP_DATA.low(index), g.if(lowHalf, low(value), yes, no));
  const whenHighIsNotAbove = g.if(BPF.IF_EQUAL, high(value), decideLow, no);
  return g.load(SECCOMP_DATA.high(index), g.if(BPF.IF_GREATER, high(value), yes, whenHighIsNotAbove));
}
