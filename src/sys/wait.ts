/** Waiting for processes by their pidfds: waitid(2), which takes the zombie away. */
import { call, op } from './calls.ts';
import { P_PIDFD, WEXITED } from './constants.ts';
import { nativeRunner } from './run.ts';
import { type Actor, type Memory, type Slot, Slots, type Step } from './step.ts';

/** How a process ended. */
export type ProcessEnd = { kind: 'exited'; code: number } | { kind: 'signaled'; signal: number };

/** si_code of a process that exited by itself */
const CLD_EXITED = 1;

/** siginfo_t (sigaction(2)): si_code at 8, si_status at 24. */
const siginfo = (code: Slot, status: Slot): Memory => ({
  fields: [
    { bytes: new Uint8Array(8) },
    { width: 4, into: code },
    { bytes: new Uint8Array(12) },
    { width: 4, into: status },
    { bytes: new Uint8Array(100) },
  ],
  say: 'siginfo',
});

function wait(actor: Actor, why: string, pidfd: Slot | number, slots: Slots) {
  const code = slots.new('code');
  const status = slots.new('status');
  const args = [P_PIDFD, pidfd, siginfo(code, status), WEXITED, 0];
  return { step: call(actor, why, 'waitid', args, { retry: true }), code, status };
}

/** Waits for the end of a child that may have been waited for before, however it ended. */
export const waitForEnd = (actor: Actor, why: string, pidfd: Slot | number): Step =>
  call(actor, why, 'waitid', [P_PIDFD, pidfd, { buffer: 128 }, WEXITED, 0], {
    retry: true,
    tolerate: ['ECHILD'],
  });

/** Waits until the process of `pidfd` has exited, and fails with EIO unless its status was 0. */
export function waitForSuccess(actor: Actor, why: string, pidfd: Slot | number, slots: Slots): Step[] {
  const { step, code, status } = wait(actor, why, pidfd, slots);
  return [
    step,
    op(actor, `${why}: it must have exited by itself`, {
      kind: 'expect',
      value: code,
      equals: CLD_EXITED,
      errno: 'EIO',
    }),
    op(actor, `${why}: with status 0`, { kind: 'expect', value: status, equals: 0, errno: 'EIO' }),
  ];
}

/** Waits for a child of this process; blocks until it is gone. Once, and the caller closes the pidfd. */
export function waitForExit(pidfd: number): ProcessEnd {
  const slots = new Slots();
  const { step, code, status } = wait('user', 'wait for it', pidfd, slots);
  const results = nativeRunner.run({ slots, steps: [step] });
  return results(code) === CLD_EXITED
    ? { kind: 'exited', code: results(status) }
    : { kind: 'signaled', signal: results(status) };
}
