import type { Process, Rlimit } from '../spec/runtime.ts';
import { call } from '../sys/calls.ts';
import type { Memory, Slots, Step } from '../sys/step.ts';
import { type RlimitType, rlimitNumber } from './rlimits.ts';

/** RLIM_INFINITY (getrlimit(2)) */
const INFINITE = 0xffffffffffffffffn;
/** JSON numbers cannot hold RLIM_INFINITY exactly: whatever is at or above 2^63, or negative, means it. */
const toKernel = (value: number): bigint => (value < 0 || value >= 2 ** 63 ? INFINITE : BigInt(value));

/** rlimits and the OOM score of a process. @throws RangeError for a limit that is not one of getrlimit(2) */
export function resourceLimits(slots: Slots, process: Process): Step[] {
  return [...(process.rlimits ?? []).map(limit), ...oomScore(slots, process.oomScoreAdj)];
}

function limit({ type, soft, hard }: Rlimit): Step {
  const number = rlimitNumber(type as RlimitType);
  const rlimit: Memory = {
    fields: [soft, hard].map((value) => ({ width: 8, value: toKernel(value) }) as const),
    say: `${soft}:${hard}`,
  };
  return call('container', `limit ${type}`, 'prlimit64', [0, number, rlimit, 0]);
}

function oomScore(slots: Slots, score: number | undefined): Step[] {
  if (score === undefined) return [];
  const fd = slots.new('oom_score_adj');
  const why = 'how soon the kernel kills it when memory is short';
  return [
    call('container', why, 'openat', [-100, '/proc/self/oom_score_adj', 0o2000001, 0], { result: fd }),
    call('container', why, 'write', [fd, String(score), String(score).length], { tolerate: ['EACCES'] }),
    call('container', 'written', 'close', [fd]),
  ];
}
