/**
 * The seccomp filter of a container: an OCI `linux.seccomp` object compiled to classic BPF.
 *
 *     architecture is not of the profile ────► kill the process (its numbers would mean other calls)
 *     32-bit x86, where the profile has it ──► the same rules, searched by the numbers of i386
 *     x86-64: number has the x32 bit ────────► ENOSYS (the same calls under other numbers, a way around any list)
 *     binary search over ranges of numbers ──► the range's answer, or the conditions of the one call that has some
 *
 * Neighbouring numbers with the same answer are one range. Most calls are allowed, so few ranges remain: the default profile
 * of some 370 names is about a hundred instructions and no call asks more than ten questions.
 *
 * Rules of one call: one without conditions outranks those that have some (libseccomp drops the latter, and profiles are
 * written for it); otherwise the first that matches decides, in the order of the profile; when none does, the default action.
 * A rule that says what the default says is left out, and one that names an argument twice means either condition (both as
 * runc and crun do). Names that this architecture does not have are left out and reported.
 */
import { ERRNO } from '../../sys/errno.ts';
import { type Architecture, isSyscallName, syscallNumber } from '../../sys/syscall-numbers.ts';
import {
  AUDIT_ARCH,
  AUDIT_ARCH_I386,
  BPF,
  encodeFilter,
  type Instruction,
  SECCOMP_DATA,
  SECCOMP_RET,
  X32_SYSCALL_BIT,
} from './bpf.ts';
import { condition } from './condition.ts';
import { type Decision, DecisionGraph, layOut } from './decision.ts';
import { i386Number } from './i386-numbers.ts';
import {
  actionReturn,
  OCI_ARCHITECTURE_I386,
  OCI_SECCOMP_FLAGS,
  type OciSeccomp,
  type OciSeccompArgument,
  type OciSeccompRule,
} from './oci.ts';

export interface CompiledSeccomp {
  readonly instructions: readonly Instruction[];
  /** The array that struct sock_fprog points to. */
  readonly bytes: Uint8Array;
  /** SECCOMP_FILTER_FLAG_* for seccomp(2). */
  readonly flags: number;
  /** Names of the profile that this architecture does not have, or that are newer than the table. */
  readonly ignored: readonly string[];
}

/** A run of numbers, up to the next one's start, that are decided alike. */
interface Range {
  readonly start: number;
  readonly decision: Decision;
}

/** Compiles `profile` for processes of `arch`. The profile has been checked (load-profile.ts); nothing is thrown. */
export function compileSeccomp(profile: OciSeccomp, arch: Architecture): CompiledSeccomp {
  const graph = new DecisionGraph();
  const fallback = graph.return(actionReturn(profile.defaultAction, profile.defaultErrnoRet));
  const searchBy = (numbered: Numbered): Decision =>
    search(graph, toRanges(decide(graph, numbered.rules, fallback), fallback));
  const native = rulesByNumber(profile, (name) => nativeNumber(name, arch));
  const has32 = arch === 'x64' && profile.architectures?.includes(OCI_ARCHITECTURE_I386) === true;
  const i386 = has32 ? rulesByNumber(profile, i386Number) : undefined;
  const ignored = native.ignored.filter((name) => i386?.ignored.includes(name) !== false);
  const instructions = layOut(
    guard(graph, arch, searchBy(native), i386 && graph.load(SECCOMP_DATA.nr, searchBy(i386))),
  );
  const flags = (profile.flags ?? []).reduce((sum, name) => sum | (OCI_SECCOMP_FLAGS[name] ?? 0), 0);
  return { instructions, bytes: encodeFilter(instructions), flags, ignored };
}

/** @param i386 what is answered to 32-bit processes; undefined = they are killed */
function guard(
  graph: DecisionGraph,
  arch: Architecture,
  native: Decision,
  i386: Decision | undefined,
): Decision {
  const notX32 =
    arch === 'x64'
      ? graph.if(
          BPF.IF_GREATER_EQUAL,
          X32_SYSCALL_BIT,
          graph.return(SECCOMP_RET.ERRNO | ERRNO.ENOSYS),
          native,
        )
      : native;
  const ours = graph.load(SECCOMP_DATA.nr, notX32);
  const kill = graph.return(SECCOMP_RET.KILL_PROCESS);
  const others = i386 ? graph.if(BPF.IF_EQUAL, AUDIT_ARCH_I386, i386, kill) : kill;
  return graph.load(SECCOMP_DATA.arch, graph.if(BPF.IF_EQUAL, AUDIT_ARCH[arch], ours, others));
}

const nativeNumber = (name: string, arch: Architecture): number | undefined =>
  isSyscallName(name) ? syscallNumber(name, arch) : undefined;

interface Numbered {
  rules: Map<number, OciSeccompRule[]>;
  /** Names without a number. */
  ignored: string[];
}

function rulesByNumber(profile: OciSeccomp, numberOf: (name: string) => number | undefined): Numbered {
  const rules = new Map<number, OciSeccompRule[]>();
  const ignored = new Set<string>();
  for (const rule of profile.syscalls ?? []) {
    for (const name of rule.names) {
      const number = numberOf(name);
      if (number === undefined) ignored.add(name);
      else if (!rules.get(number)?.push(rule)) rules.set(number, [rule]);
    }
  }
  return { rules, ignored: [...ignored] };
}

/** The decision for each number. The hundreds of calls that one rule alone speaks of are decided once. */
function decide(
  graph: DecisionGraph,
  rules: ReadonlyMap<number, readonly OciSeccompRule[]>,
  fallback: Decision,
): Map<number, Decision> {
  const byRule = new Map<OciSeccompRule, Decision>();
  const decisions = new Map<number, Decision>();
  for (const [number, list] of rules) {
    const [rule] = list;
    const known = list.length === 1 && rule ? byRule.get(rule) : undefined;
    const decision = known ?? decideCall(graph, list, fallback);
    if (list.length === 1 && rule) byRule.set(rule, decision);
    decisions.set(number, decision);
  }
  return decisions;
}

function decideCall(graph: DecisionGraph, all: readonly OciSeccompRule[], fallback: Decision): Decision {
  const answer = (rule: OciSeccompRule): Decision => graph.return(actionReturn(rule.action, rule.errnoRet));
  const rules = all.filter((rule) => answer(rule) !== fallback);
  const unconditional = rules.find((rule) => !rule.args?.length);
  if (unconditional) return answer(unconditional);
  return rules.reduceRight((otherwise, rule) => {
    const yes = answer(rule);
    return alternatives(rule.args ?? []).reduceRight(
      (no, every) => every.reduceRight((next, argument) => condition(graph, argument, next, no), yes),
      otherwise,
    );
  }, fallback);
}

/** The lists of conditions of which one must hold as a whole. */
function alternatives(args: readonly OciSeccompArgument[]): OciSeccompArgument[][] {
  const once = new Set(args.map((argument) => argument.index)).size === args.length;
  return once ? [[...args]] : args.map((argument) => [argument]);
}

function toRanges(decisions: ReadonlyMap<number, Decision>, fallback: Decision): Range[] {
  const ranges: Range[] = [{ start: 0, decision: fallback }];
  const add = (start: number, decision: Decision): void => {
    if (ranges.at(-1)?.start === start) ranges.pop();
    if (ranges.at(-1)?.decision !== decision) ranges.push({ start, decision });
  };
  for (const [number, decision] of [...decisions].sort(([a], [b]) => a - b)) {
    add(number, decision);
    add(number + 1, fallback);
  }
  return ranges;
}

/** Decides by the number in the accumulator. `ranges` is sorted, not empty, and its first start is never asked about. */
function search(graph: DecisionGraph, ranges: readonly Range[]): Decision {
  const [first, second, third] = ranges;
  if (!first) throw new RangeError('no range to decide');
  if (!second) return first.decision;
  // One number within a range that is otherwise alike: one question instead of two.
  if (third && ranges.length === 3 && third.start === second.start + 1 && third.decision === first.decision)
    return graph.if(BPF.IF_EQUAL, second.start, second.decision, first.decision);
  const middle = Math.ceil(ranges.length / 2);
  return graph.if(
    BPF.IF_GREATER_EQUAL,
    (ranges[middle] ?? second).start,
    search(graph, ranges.slice(middle)),
    search(graph, ranges.slice(0, middle)),
  );
}
