/** Signals to a container's init, through its pidfd: never to a process that came after it. */
import { closeSync } from 'node:fs';
import { signalName } from '../launch/signals.ts';
import { runInside } from '../rootless/enter.ts';
import { call } from '../sys/calls.ts';
import { ERRNO } from '../sys/errno.ts';
import { openPidfd } from '../sys/process.ts';
import { nativeRunner } from '../sys/run.ts';
import { Slots } from '../sys/step.ts';
import { type ContainerView, notRunning } from './container-view.ts';
import type { Engine } from './open-engine.ts';

/**
 * Sends signal `number`. The container's root is this user, who may signal it; another user of the container (a subordinate id) cannot
 * be signalled from outside, so then a child of ours joins the container's own user namespace by the same pidfd first. No supervisor is
 * needed.
 * @returns false when the init has ended meanwhile. @throws ERR_TSRUN_CONTAINER_STATE when it does not run
 */
export function signalContainer(engine: Engine, view: ContainerView, number: number): boolean {
  const { init } = view.state;
  if (!init) throw notRunning(view);
  const pidfd = openPidfd(init);
  if (pidfd === undefined) return false;
  try {
    const why = `send ${signalName(number)} to the container’s init`;
    const args = [pidfd, number, 0, 0];
    const slots = new Slots();
    const result = slots.new('sent');
    const attempt = call('user', why, 'pidfd_send_signal', args, { result, tolerate: ['ESRCH', 'EPERM'] });
    if (nativeRunner.run({ slots, steps: [attempt] })(result) !== -ERRNO.EPERM) return true;
    runInside({ maps: engine.maps, holder: pidfd }, () => [
      call('rootless', why, 'pidfd_send_signal', args, { tolerate: ['ESRCH'] }),
    ]);
    return true;
  } finally {
    closeSync(pidfd);
  }
}
