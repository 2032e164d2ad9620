/**
 * What `tsrun explain run …` shows: everything that a container is made of, and the very programs that would be executed.
 *
 * Data only: the engine fills it, the printers of this folder read it. What the runtime configuration says (mounts, namespaces,
 * capabilities, masks, command) is not said a second time.
 */
import type { EndpointLease } from '../network/bridge-network.ts';
import type { PortMapping } from '../network/driver.ts';
import type { RootfsDriverName, RootfsPaths } from '../rootfs/driver.ts';
import type { IdMaps } from '../rootless/id-map.ts';
import type { RuntimeConfig } from '../spec/runtime.ts';
import type { Program } from '../sys/step.ts';

/** One layer of the image, lowest first. */
export interface PlannedLayer {
  /** Of the blob as it was fetched. */
  digest: string;
  /** Names the directory of the store. */
  chainId: string;
  /** Of the blob, in bytes; undefined when nobody said. */
  size?: number;
  /** Where its files are. */
  path: string;
}

export interface PlannedImage {
  /** As it was resolved: registry, repository and tag spelled out. */
  reference: string;
  /** Of the manifest. */
  digest: string;
  layers: readonly PlannedLayer[];
}

/** A program and who runs it. */
export interface PlannedProgram {
  /** `tsrun → supervisor` */
  title: string;
  program: Program;
}

export interface Plan {
  /** The user's own words: `['tsrun', 'run', '-p', '8000:80', 'httpd']`. */
  commandLine: readonly string[];
  image: PlannedImage;
  /** Of the rootless namespaces. `single`: the user has no subordinate ids. */
  idMaps: IdMaps & { single: boolean };
  /** Are the rootless namespaces there already, to be joined? */
  joins: boolean;
  rootfs: { driver: RootfsDriverName; why: string; paths: RootfsPaths };
  network: {
    driver: string;
    why: string;
    ports: readonly PortMapping[];
    /** What it would get of its bridge networks. */
    leases?: readonly EndpointLease[];
  };
  config: RuntimeConfig;
  /** Files that are generated before the start and bound into the container: destination → content. */
  files: Readonly<Record<string, string>>;
  /** In the order of their start. */
  programs: readonly PlannedProgram[];
}

/** A namespace of the container. */
export interface PlannedNamespace {
  type: string;
  kind: 'new' | 'host' | 'shared' | 'joined';
  /** What it means here. */
  why: string;
}

const MEANINGS: readonly (readonly [type: string, why: string])[] = [
  ['mount', 'its own tree of mounts, with the image as root'],
  ['pid', 'its command is process 1 and sees no other'],
  ['network', 'its own interfaces, addresses and ports'],
  ['ipc', 'its own System V objects and message queues'],
  ['uts', 'its own hostname'],
  ['cgroup', 'its own cgroup is the root it sees'],
  ['time', 'its own boot-time clock'],
];

/** All namespaces of the container, those of the host too. */
export function namespacesOf(plan: Plan): PlannedNamespace[] {
  const { namespaces } = plan.config.linux;
  const user: PlannedNamespace = {
    type: 'user',
    kind: 'shared',
    why: plan.joins
      ? 'that of the user’s other containers, joined through a live supervisor'
      : 'made now; later containers of the user join it',
  };
  const others = MEANINGS.flatMap(([type, why]): PlannedNamespace[] => {
    const found = namespaces.find((namespace) => namespace.type === type);
    if (found?.path !== undefined) return [{ type, kind: 'joined', why: found.path }];
    if (found) return [{ type, kind: 'new', why }];
    return type === 'time' ? [] : [{ type, kind: 'host', why: 'the host’s own' }];
  });
  return [user, ...others];
}

/** What of a seccomp filter fits into a line; undefined = none is installed. */
export function seccompSummary(
  plan: Plan,
): { defaultAction: string; rules: number; names: number } | undefined {
  const { seccomp } = plan.config.linux;
  if (!seccomp) return undefined;
  const rules = seccomp.syscalls ?? [];
  const names = new Set(rules.flatMap((rule) => rule.names)).size;
  return { defaultAction: seccomp.defaultAction, rules: rules.length, names };
}
