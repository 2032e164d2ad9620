/**
 * Namespaces that a container shares with another one, or that somebody else has made: `--pid`, `--ipc`, `--uts`, `--cgroupns`. Which
 * process has them is found out anew at each start.
 */
import { tsrunError } from '../errors.ts';
import { MOUNT_NAMESPACE } from '../launch/mount-options.ts';
import type { NamespaceType, RuntimeConfig, ShareableNamespace } from '../spec/runtime.ts';
import type { ContainerRecord, SharedNamespaces } from '../store/container-record.ts';
import { type ContainerView, findContainer, notRunning } from './container-view.ts';
import type { Engine } from './open-engine.ts';
import type { CreateRequest } from './request.ts';

/** As /proc/PID/ns has them. */
export const SHAREABLE: readonly ShareableNamespace[] = ['pid', 'ipc', 'uts', 'cgroup'];
/** A path for each that is not the container's own. */
export type JoinedPaths = Partial<Record<ShareableNamespace | 'sharedMemory', string>>;

/** What is kept of the options: whose namespaces. Other containers by their ids. @throws ERR_TSRUN_CONTAINER_UNKNOWN */
export function sharedNamespaces(
  engine: Engine,
  { namespaces }: Pick<CreateRequest, 'namespaces'>,
): SharedNamespaces {
  const shared: SharedNamespaces = {};
  for (const type of SHAREABLE) {
    const mode = namespaces[type];
    if (mode.kind === 'container') shared[type] = { container: findContainer(engine, mode.container).id };
    if (mode.kind === 'ns') shared[type] = { path: mode.path };
  }
  return shared;
}

function owner(engine: Engine, id: string): ContainerView & { init: number } {
  const view = findContainer(engine, id);
  if (!view.state.init) throw notRunning(view);
  return { ...view, init: view.state.init.pid };
}

/** Paths of the namespaces as they are now. @throws ERR_TSRUN_CONTAINER_STATE when the container that has one does not run */
export function namespacePaths(engine: Engine, shared: SharedNamespaces): JoinedPaths {
  const paths: JoinedPaths = {};
  for (const type of SHAREABLE) {
    const whose = shared[type];
    if (whose?.path !== undefined) paths[type] = whose.path;
    if (whose?.container === undefined) continue;
    const { init } = owner(engine, whose.container);
    paths[type] = `/proc/${init}/ns/${type}`;
    if (type === 'ipc') paths.sharedMemory = `/proc/${init}/ns/mnt`;
  }
  return paths;
}

/** A configuration made earlier, with the paths of now. */
export function withSharedNamespaces(
  engine: Engine,
  config: RuntimeConfig,
  shared: SharedNamespaces | undefined,
): RuntimeConfig {
  if (!shared) return config;
  const { sharedMemory, ...paths } = namespacePaths(engine, shared);
  const byType: Partial<Record<NamespaceType, string>> = paths;
  const namespaces = config.linux.namespaces.map((given) => {
    const path = byType[given.type];
    return path === undefined ? given : { ...given, path };
  });
  const mounts = config.mounts.map((mount) => ({
    ...mount,
    ...(mount.options && {
      options: mount.options.map((option) =>
        option.startsWith(`${MOUNT_NAMESPACE}=`) ? `${MOUNT_NAMESPACE}=${sharedMemory}` : option,
      ),
    }),
  }));
  return { ...config, mounts, linux: { ...config.linux, namespaces } };
}

/** A container with whom namespaces are shared: whoever joins them has to be in the user namespace that it was made in. */
export function sharingContainer(
  engine: Engine,
  { namespaces = {} }: Pick<ContainerRecord, 'namespaces'>,
): ContainerView | undefined {
  const id = SHAREABLE.map((type) => namespaces[type]?.container).find(
    (container) => container !== undefined,
  );
  return id === undefined ? undefined : findContainer(engine, id);
}

/** Only root of the user namespace that owns a namespace may join it. @throws ERR_TSRUN_USAGE */
export function refuseSharing(shared: SharedNamespaces): void {
  const [type] = Object.keys(shared);
  if (type === undefined) return;
  throw tsrunError('ERR_TSRUN_USAGE', {
    problem: `a container in a user namespace of its own cannot join the ${type} namespace of another one`,
    hint: '--userns host',
  });
}
