/** One signal to all processes of a container. */
import { call, op } from '../sys/calls.ts';
import { CLONE_NEWPID, PR_SET_DUMPABLE, SIGCHLD, SIGSTOP } from '../sys/constants.ts';
import type { Slots, Step } from '../sys/step.ts';
import { waitForSuccess } from '../sys/wait.ts';

/**
 * SIGSTOP or SIGCONT to every process of a container's pid namespace, which must be its own.
 * @param pidfd of its init
 */
export function signalEverybody(slots: Slots, pidfd: number, number: number): Step[] {
  const child = slots.new('inside.pidfd');
  const name = number === SIGSTOP ? 'SIGSTOP' : 'SIGCONT';
  return [
    call('rootless', 'nobody in the container may look into the process that enters it', 'prctl', [
      PR_SET_DUMPABLE,
      0,
      0,
      0,
      0,
    ]),
    call('rootless', `${name} to the init, which none from inside reaches`, 'pidfd_send_signal', [
      pidfd,
      number,
      0,
      0,
    ]),
    call('rootless', 'the next child is born in the container’s pid namespace', 'setns', [
      pidfd,
      CLONE_NEWPID,
    ]),
    op('rootless', `send ${name} from inside`, {
      kind: 'clone',
      flags: 0n,
      exitSignal: SIGCHLD,
      pidfd: child,
      child: [
        call('rootless', `${name} to all others at once`, 'kill', [-1, number], { tolerate: ['ESRCH'] }),
      ],
    }),
    ...waitForSuccess('rootless', 'all have it', child, slots),
  ];
}
