/**
 * A supervisor that starts its container again does what its own start was: it would connect the container to the networks of that time, at
 * addresses that may be another container's by now. So when they have changed meanwhile, the spec of its next start is left in the
 * container's directory.
 */
import { replaceFile } from '../store/atomic-write.ts';
import { containerFiles } from '../store/paths.ts';
import { NO_STREAMS } from '../supervisor/messages.ts';
import { cgroupsOf, containerCgroup } from './container-cgroup.ts';
import type { ContainerNetwork } from './container-network.ts';
import type { ContainerView } from './container-view.ts';
import { healthSpec } from './health-spec.ts';
import { withSharedNamespaces } from './joined-namespaces.ts';
import type { Engine } from './open-engine.ts';
import { imageMountsOf, planStart, readConfig } from './start-container.ts';

/** For a running container. What cannot be had from here (another login's cgroup, streams that were passed on) stays, and a line says so. */
export async function writeRestartSpec(
  engine: Engine,
  { id, record, state }: ContainerView,
  network: ContainerNetwork,
): Promise<void> {
  const config = withSharedNamespaces(engine, readConfig(engine, record), record.namespaces);
  const silent = { warn: () => undefined };
  const cgroup = await containerCgroup(silent, record, config);
  const mine = [...(cgroup?.directories ?? [])].sort().join('\n');
  const had = state.init ? cgroupsOf(state.init.pid, id).sort().join('\n') : '';
  if (mine !== had || record.logDriver === 'passthrough') {
    engine.warn(
      `if its restart policy starts ${record.name} again, it is on the networks of its last start; tsrun restart ${record.name}`,
    );
    return;
  }
  const health =
    record.health && healthSpec(record, record.health, config, engine.paths.runtime, cgroup?.directories);
  const ready =
    record.pidfile === undefined ? undefined : (await import('./pid-file.ts')).pidFileSteps(record.pidfile);
  const extras = { cgroup, imageMounts: await imageMountsOf(engine, record), ready };
  const plan = planStart(engine, record, config, network, { attach: NO_STREAMS, ...extras }, NO_DESCRIPTOR, {
    health,
  });
  replaceFile(engine.paths, containerFiles(engine.paths, id).restartSpec, plan.supervisor.spec);
}

/** Of the runtime directory: the supervisor has its socket there already. */
const NO_DESCRIPTOR = -1;
