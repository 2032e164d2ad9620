/** Signals to a container's init, through its pidfd: never to a process that came after it. */
import { closeSync } from 'node:fs';
import { tsrunError } from '../errors.ts';
import { signalName } from '../launch/signals.ts';
import { runInside } from '../rootless/enter.ts';
import { call } from '../sys/calls.ts';
import { openPidfd } from '../sys/process.ts';
import type { ContainerView } from './container-view.ts';
import { explainNamespaces } from './failure.ts';
import type { Engine } from './open-engine.ts';

/**
 * Sends signal `number`. Another user of the container (a subordinate id) cannot be signalled from outside, so a child of ours joins
 * the container's own user namespace by the same pidfd first; no supervisor is needed.
 * @returns false when the init has ended meanwhile. @throws ERR_TSRUN_CONTAINER_STATE when it does not run
 */
export function signalContainer(engine: Engine, view: ContainerView, number: number): boolean {
  const { init, phase } = view.state;
  if (!init)
    throw tsrunError('ERR_TSRUN_CONTAINER_STATE', { name: view.name, state: phase, wanted: 'running' });
  const pidfd = openPidfd(init);
  if (pidfd === undefined) return false;
  try {
    const why = `send ${signalName(number)} to the container’s init`;
    explainNamespaces(() =>
      runInside({ ...engine.rootless(), holder: pidfd }, () => [
        call('rootless', why, 'pidfd_send_signal', [pidfd, number, 0, 0], { tolerate: ['ESRCH'] }),
      ]),
    );
    return true;
  } finally {
    closeSync(pidfd);
  }
}
