/** Use case: `tsrun ns enter`: a program of the host in some of a container's namespaces. */
import { closeSync } from 'node:fs';
import { type JoinableName, joinNamespacesOf } from '../launch/given-namespaces.ts';
import type { ExitStatus } from '../supervisor/exit-status.ts';
import { openPidfd } from '../sys/process.ts';
import { type ContainerView, notRunning } from './container-view.ts';
import type { Engine } from './open-engine.ts';
import { runAttachedInside } from './run-command-inside.ts';

/**
 * Runs `argv` with this process's streams and waits for it.
 * @throws ERR_TSRUN_CONTAINER_STATE unless it runs, and what runAttachedInside() throws
 */
export function enterContainer(
  engine: Engine,
  view: ContainerView,
  types: readonly JoinableName[],
  path: string,
  argv: readonly string[],
): ExitStatus {
  const { init, supervisor } = view.state;
  const pidfd = init && openPidfd(init);
  // The supervisor is in the rootless namespaces that the container's own were made in.
  const holder = supervisor && openPidfd(supervisor);
  try {
    if (pidfd === undefined || holder === undefined) throw notRunning(view);
    const env = Object.entries(process.env).flatMap(([name, text]) =>
      text === undefined ? [] : [`${name}=${text}`],
    );
    return runAttachedInside({ maps: engine.maps, holder }, path, argv, env, () => [
      joinNamespacesOf(pidfd, types),
    ]);
  } finally {
    for (const fd of [pidfd, holder]) if (fd !== undefined) closeSync(fd);
  }
}
