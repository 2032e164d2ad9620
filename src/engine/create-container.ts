/** Creating a container: everything is decided here, for write-container.ts to write. Nothing runs yet. */
import { statSync } from 'node:fs';
import { hostname as osHostname } from 'node:os';
import { resolve } from 'node:path';
import { tsrunError } from '../errors.ts';
import { parseSignal } from '../launch/signals.ts';
import type { PortMapping } from '../network/driver.ts';
import { publishExposed } from '../network/parse-publish.ts';
import type { RootfsDriverName } from '../rootfs/driver.ts';
import { readInLayers } from '../rootfs/read-in-layers.ts';
import type { IdMaps } from '../rootless/id-map.ts';
import type { Digest, ImageConfig, ImageRunConfig } from '../spec/image.ts';
import type { RuntimeConfig } from '../spec/runtime.ts';
import type { ContainerRecord, RecordedMount, SharedNamespaces } from '../store/container-record.ts';
import type { ImageRecord } from '../store/image-record.ts';
import { containerFiles, imageMountFiles } from '../store/paths.ts';
import { timestamp } from '../sys/clock.ts';
import { nativeDirectory } from '../sys/native-directory.ts';
import { randomHex } from '../sys/random.ts';
import { drawName } from './container-names.ts';
import { type ClaimedNetwork, type ContainerNetwork, claimNetwork } from './container-network.ts';
import { lowersOf } from './container-rootfs.ts';
import { healthCheck } from './health-check.ts';
import { namespacePaths, refuseSharing, sharedNamespaces } from './joined-namespaces.ts';
import { logRecord } from './log-spec.ts';
import { mountRequests } from './mount-requests.ts';
import type { Engine } from './open-engine.ts';
import { commandLine, environment, workingDirectory } from './process-options.ts';
import type { CreateRequest, MountRequest } from './request.ts';
import { runtimeConfig } from './runtime-config.ts';
import { security } from './security-options.ts';
import { chooseStorageDriver, type DriverChoice } from './storage-driver.ts';
import { type ResolvedUser, resolveUser } from './users.ts';
import { resolveMounts } from './volumes.ts';

/** A container that is planned but not on disk. */
export interface ContainerPlan {
  record: ContainerRecord;
  /** It was given no name, and any other will do. */
  nameDrawn: boolean;
  config: RuntimeConfig;
  network: ContainerNetwork;
  rejectedDrivers: string[];
}

/** A directory says nothing of what runs in it. */
const NO_IMAGE: ImageConfig = { architecture: '', os: 'linux', rootfs: { type: 'layers', diff_ids: [] } };

const NO_DIGEST = '' as Digest;

const INIT_DESTINATION = '/dev/tsrun-init';

/** A unified cgroup hierarchy at the usual place (cgroups(7)). */
const CGROUP2_SUPER_MAGIC_FILE = '/sys/fs/cgroup/cgroup.controllers';
const hasCgroup2 = (): boolean => statSync(CGROUP2_SUPER_MAGIC_FILE, { throwIfNoEntry: false }) !== undefined;

export interface PlanOptions {
  /** What refuseEarly() has found. */
  claimed?: ClaimedNetwork | undefined;
  /** Of --mount type=image, by what they were called. */
  mountedImages?: ReadonlyMap<string, ImageRecord> | undefined;
  /** Make nothing, not even a volume. */
  explainOnly?: boolean;
}

/** Decides everything about a container. New volumes are made unless this is only an explanation; nothing else is written. */
export async function planContainer(
  engine: Engine,
  request: CreateRequest,
  image: ImageRecord | undefined,
  options: PlanOptions = {},
): Promise<ContainerPlan> {
  const imageConfig = image ? engine.images.config(image) : NO_IMAGE;
  const run = imageConfig.config ?? {};
  const id = randomHex(32);
  const { maps } = engine;
  const layers = (image?.layers ?? []).map((layer) => layer.chainId);
  const lowers = request.rootfs ? [request.rootfs.path] : lowersOf(engine.paths, { layers });
  const users = isNested(request)
    ? await nestedUsers(engine, request, lowers, request.user ?? run.User ?? '')
    : undefined;
  const userSpec = request.user ?? users?.user ?? run.User ?? '';
  const cwd = workingDirectory(run, request);
  const user = imageUser(lowers, userSpec, request.groupAdd, users?.user === undefined ? undefined : cwd);
  const { entrypoint, args } = commandLine(run, request);
  if (args.length === 0) {
    throw tsrunError('ERR_TSRUN_USAGE', {
      problem: image
        ? `the image ${image.reference} has no command, and none was given`
        : 'a directory has no command of its own, and none was given',
      hint: image ? `tsrun run ${request.image} COMMAND` : `tsrun run --rootfs ${request.image} COMMAND`,
    });
  }
  const { network, ports } =
    options.claimed ??
    claimNetwork(
      engine,
      request,
      request.publishAll
        ? publishExposed([...Object.keys(run.ExposedPorts ?? {}), ...request.expose], request.publish)
        : [],
    );
  if (users && network.driver.namespace.kind === 'path') refuseForeignNetwork();
  const shared = sharedNamespaces(engine, request);
  if (users) refuseSharing(shared);
  const hostname =
    request.hostname ??
    sharedHostname(engine, shared) ??
    (network.driver.namespace.kind === 'host' || request.namespaces.uts.kind === 'host'
      ? osHostname()
      : id.slice(0, 12));
  const inherited = request.volumesFrom.length > 0 ? await volumesFrom(engine, request) : [];
  const mounts = resolveMounts(
    engine.paths,
    mountRequests(request, imageConfig, inherited),
    options.explainOnly !== true,
    request.mounts.some(({ type }) => type === 'image')
      ? await imageMounts(options.mountedImages, id, engine)
      : neverAnImage,
  ).concat(inherited);
  const files = containerFiles(engine.paths, id);
  const driver = request.storageDriver ?? engine.storageDriver ?? users?.driver;
  const chosen: DriverChoice =
    (request.rootfs && !request.rootfs.overlay) || lowers.length === 0
      ? { driver: 'copy', rejected: [] } // which mounts one directory as it is: the user's, or all there is of an image without layers
      : chooseStorageDriver(engine.paths, engine.rootless, driver);
  const choice = users?.require(chosen) ?? chosen;
  const config = runtimeConfig({
    request,
    args,
    env: environment(run, request, { hostname, home: user.home, terminal: request.tty }),
    cwd,
    user,
    hostname,
    security: security(request, user.uid),
    mounts,
    network: network.driver.namespace,
    sysctls: network.driver.sysctls,
    singleId: maps.single,
    cgroup2: hasCgroup2(),
    idMaps: users?.maps,
    joined: namespacePaths(engine, shared),
    files: {
      hosts: request.noHosts ? undefined : files.hosts,
      hostname: request.noHostname ? undefined : files.hostname,
      resolvConf: request.noResolvConf ? undefined : files.resolvConf,
    },
    mountpoint: files.mountpoint,
    init: request.init ? { source: `${nativeDirectory()}/init`, destination: INIT_DESTINATION } : undefined,
  });
  const record = containerRecord({
    id,
    name: request.name ?? drawName(engine.containers, id),
    request,
    image,
    imageConfig,
    config,
    entrypoint,
    args,
    network,
    ports,
    mounts,
  });
  return {
    record: {
      ...record,
      user: userSpec,
      rootfsDriver: choice.driver,
      singleId: maps.single,
      ...(users && { idMaps: users.maps, userns: request.userns.kind }),
      ...(Object.keys(shared).length > 0 && { namespaces: shared }),
    },
    nameDrawn: request.name === undefined,
    config,
    network,
    rejectedDrivers: choice.rejected,
  };
}

const isNested = ({ userns, uidmap, gidmap }: CreateRequest): boolean =>
  userns.kind !== 'host' || uidmap.length > 0 || gidmap.length > 0;

/** What a user namespace of the container's own asks for. */
interface NestedUsers {
  maps: IdMaps;
  /** --user, when it is not said. */
  user: string | undefined;
  driver: RootfsDriverName;
  require(choice: DriverChoice): DriverChoice;
}

async function nestedUsers(
  engine: Engine,
  request: CreateRequest,
  lowers: readonly string[],
  user: string,
): Promise<NestedUsers | undefined> {
  const { containerMaps, keptUser, requireMapping } = await import('./container-users.ts');
  const maps = containerMaps(engine, request, lowers, user);
  const require = (choice: DriverChoice): DriverChoice => requireMapping(choice);
  return maps && { maps, user: keptUser(request), driver: 'fuse-overlayfs', require };
}

const neverAnImage = (): never => {
  throw new Error('there is a mount of an image');
};

/** Which recorded mount a requested one of an image becomes. */
async function imageMounts(
  images: ReadonlyMap<string, ImageRecord> = new Map(),
  id: string,
  engine: Engine,
): Promise<(request: MountRequest) => RecordedMount> {
  const { recordImageMount } = await import('./image-mounts.ts');
  const { directory } = containerFiles(engine.paths, id);
  let index = 0;
  return (request) => recordImageMount(request, images, imageMountFiles(directory, index++).mountpoint);
}

/** Who shares a UTS namespace has its host name. */
function sharedHostname(engine: Engine, { uts }: SharedNamespaces): string | undefined {
  return uts?.container === undefined ? undefined : engine.containers.read(uts.container)?.hostname;
}

function refuseForeignNetwork(): never {
  throw tsrunError('ERR_TSRUN_USAGE', {
    problem: 'a container in a user namespace of its own cannot join a network of another one',
    hint: '--network private | host | none',
  });
}

async function volumesFrom(engine: Engine, request: CreateRequest): Promise<RecordedMount[]> {
  const { inheritedMounts } = await import('./inherited-mounts.ts');
  return inheritedMounts(engine, request.volumesFrom, request.mounts);
}

/** @param home of a user whom the image does not know; `/` unless it is said */
function imageUser(
  lowers: readonly string[],
  user: string,
  groupAdd: readonly string[],
  home?: string,
): ResolvedUser {
  // Group names matter only where one is named or the user has a name: then, and only then, /etc/group is read.
  const passwd = readInLayers(lowers, '/etc/passwd');
  const group = readInLayers(lowers, '/etc/group');
  const resolved = resolveUser(user, passwd, group, groupAdd);
  return resolved.name === undefined && home !== undefined ? { ...resolved, home } : resolved;
}

interface RecordInput {
  id: string;
  name: string;
  request: CreateRequest;
  image: ImageRecord | undefined;
  imageConfig: ImageConfig;
  config: RuntimeConfig;
  entrypoint: string[];
  args: string[];
  network: ContainerNetwork;
  ports: PortMapping[];
  mounts: RecordedMount[];
}

function containerRecord(input: RecordInput): Omit<ContainerRecord, 'rootfsDriver' | 'singleId'> {
  const { request, image, config, imageConfig } = input;
  const run = imageConfig.config ?? {};
  return {
    id: input.id,
    name: input.name,
    image: image?.reference ?? request.rootfs?.path ?? '',
    imageId: image?.imageId ?? NO_DIGEST,
    imageDigest: image?.digest ?? NO_DIGEST,
    layers: (image?.layers ?? []).map((layer) => layer.chainId),
    ...(request.rootfs && { rootfs: request.rootfs }),
    createdAt: timestamp(),
    command: input.args,
    entrypoint: input.entrypoint,
    labels: { ...run.Labels, ...request.labels },
    networkMode: request.network,
    endpoint: { ...request.endpoint, aliases: [...request.endpoint.aliases] },
    network: input.network.driver.name,
    ...(input.ports.length > 0 && { keepsClientAddresses: input.network.driver.keepsClientAddresses }),
    ports: input.ports,
    addHosts: request.addHosts,
    noHosts: request.noHosts,
    dns: { dns: request.dns, dnsSearch: request.dnsSearch, dnsOption: request.dnsOption },
    mounts: input.mounts,
    tty: request.tty,
    openStdin: request.interactive,
    autoRemove: request.remove,
    stopSignal: parseSignal(request.stopSignal ?? run.StopSignal ?? 'SIGTERM'),
    stopTimeout: request.stopTimeout ?? 10,
    restart: request.restart,
    ...supervisionRecord(run, request),
    pidfile: request.pidfile,
    conmonPidfile: request.conmonPidfile,
    timeout: request.timeout || undefined,
    user: request.user ?? run.User ?? '',
    hostname: config.hostname ?? '',
    workdir: config.process.cwd,
    env: config.process.env,
    privileged: request.privileged,
    readOnly: request.readOnly,
    ...(request.securityOpt.length > 0 && { securityOpt: request.securityOpt }),
    ...(request.devices.length > 0 && { devices: request.devices }),
    ...exposed(request, run),
    ...(request.cidfile !== undefined && { cidfile: resolve(request.cidfile) }),
    init: request.init,
    ...(request.cgroups !== undefined && { cgroups: request.cgroups }),
    ...(request.cgroupParent !== undefined && { cgroupParent: request.cgroupParent }),
    ...logRecord(request.log),
  };
}

/** An image may leave out the protocol. */
function exposed(
  { expose }: CreateRequest,
  { ExposedPorts = {} }: ImageRunConfig,
): Pick<ContainerRecord, 'expose'> {
  const ofImage = Object.keys(ExposedPorts).map((port) => (port.includes('/') ? port : `${port}/tcp`));
  const all = [...new Set([...expose, ...ofImage])];
  return all.length > 0 ? { expose: all } : {};
}

/** @throws ERR_TSRUN_USAGE for what needs a health check and has none */
function supervisionRecord(
  run: ImageRunConfig,
  { health: request, sdnotify }: Pick<CreateRequest, 'health' | 'sdnotify'>,
): Pick<ContainerRecord, 'health' | 'sdnotify'> {
  const health = healthCheck(run, request);
  if (sdnotify === 'healthy' && !health) {
    throw tsrunError('ERR_TSRUN_USAGE', {
      problem: '--sdnotify healthy: the container has no health check',
      hint: "--health-cmd 'wget -q -O /dev/null http://localhost/'",
    });
  }
  return {
    ...(health && { health: { ...health, ...(run.Shell && { shell: run.Shell }) } }),
    ...(sdnotify && { sdnotify }),
  };
}
