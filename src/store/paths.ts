import type { DigestAlgorithm } from '../spec/digest.ts';

/**
 * Where everything is on disk. No other file spells a path of the store.
 *
 * `root` is durable ($XDG_DATA_HOME/tsrun or --root); `runtime` is gone at reboot ($XDG_RUNTIME_DIR/tsrun). Both are absolute and
 * normal, so that names are simply put together: node:path's join() would look at each of a hundred paths letter by letter at every start.
 */
export interface StorePaths {
  readonly root: string;
  readonly runtime: string;
}

const hex = (digest: string): string => digest.slice(digest.indexOf(':') + 1);
const algorithm = (digest: string): string => digest.slice(0, digest.indexOf(':'));

/** blobs/<algorithm>/<hex>: a verified blob, as in an OCI image layout */
export const blobPath = (s: StorePaths, digest: string): string =>
  `${s.root}/blobs/${algorithm(digest)}/${hex(digest)}`;
/** blobs/<algorithm>/<hex>.partial: a download that was cut, resumable */
export const partialBlobPath = (s: StorePaths, digest: string): string => `${blobPath(s, digest)}.partial`;

/** blobs/sha256/, blobs/sha512/: all blobs and partial blobs */
export const blobsDirectory = (s: StorePaths, algorithm: DigestAlgorithm = 'sha256'): string =>
  `${s.root}/blobs/${algorithm}`;

/** layers/<chain>/: a name that exists is complete and verified */
export const layersDirectory = (s: StorePaths): string => `${s.root}/layers`;
export const layerDirectory = (s: StorePaths, chainId: string): string =>
  `${layersDirectory(s)}/${hex(chainId)}`;
export const layerDiff = (s: StorePaths, chainId: string): string => `${layerDirectory(s, chainId)}/diff`;
export const layerRecord = (s: StorePaths, chainId: string): string =>
  `${layerDirectory(s, chainId)}/layer.json`;

/** images/<percent-encoded reference>.json: a name given to an image */
export const imagesDirectory = (s: StorePaths): string => `${s.root}/images`;
export const imageRecordPath = (s: StorePaths, fileName: string): string =>
  `${imagesDirectory(s)}/${fileName}`;

/** mounts/<id>: where images and containers are mounted to be looked at */
export const lookedAtDirectory = (s: StorePaths): string => `${s.root}/mounts`;
export const lookedAt = (s: StorePaths, id: string): string => `${lookedAtDirectory(s)}/${hex(id)}`;

/** containers/<id>/ */
export const containersDirectory = (s: StorePaths): string => `${s.root}/containers`;
export const containerDirectory = (s: StorePaths, id: string): string => `${containersDirectory(s)}/${id}`;
export const containerRecord = (s: StorePaths, id: string): string =>
  `${containerDirectory(s, id)}/container.json`;
/** names/<name>: a symbolic link to the id, made exclusively: two containers cannot have one name */
export const namesDirectory = (s: StorePaths): string => `${s.root}/names`;
export const containerNamePath = (s: StorePaths, name: string): string => `${namesDirectory(s)}/${name}`;

/** volumes/<name>/_data */
export const volumesDirectory = (s: StorePaths): string => `${s.root}/volumes`;
export const volumeDirectory = (s: StorePaths, name: string): string => `${volumesDirectory(s)}/${name}`;
export const volumeData = (s: StorePaths, name: string): string => `${volumeDirectory(s, name)}/_data`;

export const volumeRecord = (s: StorePaths, name: string): string =>
  `${volumeDirectory(s, name)}/volume.json`;

/** networks/<name>.json: a bridge network */
export const networksDirectory = (s: StorePaths): string => `${s.root}/networks`;
export const networkPath = (s: StorePaths, name: string): string => `${networksDirectory(s)}/${name}.json`;
/** <runtime>/network/: the hub of the bridge networks: its socket, its lock, what its uplink said, the addresses in use */
export const hubDirectory = (s: StorePaths): string => `${s.runtime}/network`;
export const leasesDirectory = (s: StorePaths): string => `${hubDirectory(s)}/leases`;

/** events.log: what has happened (event-log.ts); when it is full, it becomes events.log.1 */
export const eventLogPath = (s: StorePaths): string => `${s.root}/events.log`;

/** tmp/: whatever is being made; swept by the next command when its maker is dead */
export const temporaryDirectory = (s: StorePaths): string => `${s.root}/tmp`;
/** Everything in the root: what else is there is not ours. */
export const storeEntries = (s: StorePaths): string[] =>
  [
    'blobs',
    'layers',
    'images',
    'mounts',
    'containers',
    'names',
    'volumes',
    'tmp',
    'locks',
    'networks',
    'storage-driver.json',
    'events.log',
    'events.log.1',
  ].map((name) => `${s.root}/${name}`);
/** locks/<name>: files that are only ever flock(2)ed */
export const locksDirectory = (s: StorePaths): string => `${s.root}/locks`;
export const lockPath = (s: StorePaths, name: string): string => `${locksDirectory(s)}/${name}`;

export const runtimeContainersDirectory = (s: StorePaths): string => `${s.runtime}/containers`;
/** <runtime>/containers/<id>/attach: the supervisor's socket */
export const runtimeContainerDirectory = (s: StorePaths, id: string): string =>
  `${runtimeContainersDirectory(s)}/${id}`;

/** <runtime>/containers/<id>/network.json: what the container has of its networks since its last start */
export const endpointsPath = (s: StorePaths, id: string): string =>
  `${runtimeContainerDirectory(s, id)}/network.json`;

/** What is in containers/<id>/, beside container.json. */
export const containerFiles = (s: StorePaths, id: string) => {
  const directory = containerDirectory(s, id);
  return {
    directory,
    /** the OCI runtime configuration */
    config: `${directory}/config.json`,
    /** written by the supervisor at each start: who runs */
    state: `${directory}/state.json`,
    /** written by the supervisor, once per start, by rename */
    exit: `${directory}/exit.json`,
    /** that it was paused (paused.ts) */
    paused: `${directory}/paused`,
    log: `${directory}/${LOG_NAME}`,
    upper: `${directory}/upper`,
    work: `${directory}/work`,
    mountpoint: `${directory}/merged`,
    /** a symbolic link to its link in names/, for whoever frees the name: it may have been renamed */
    name: `${directory}/name`,
    /** its bridge networks, where they have changed since it was created */
    networks: `${directory}/networks.json`,
    /** what its supervisor is to do at its next restart, instead of what it was started with (RESTART_SPEC of native/protocol.h) */
    restartSpec: `${directory}/restart.spec`,
    hosts: `${directory}/hosts`,
    hostname: `${directory}/hostname`,
    resolvConf: `${directory}/resolv.conf`,
  } as const;
};
/** Of a container's n-th mounted image: where it is mounted, and what overlay needs for that. */
export const imageMountFiles = (directory: string, index: number) => ({
  upper: `${directory}/images/${index}/upper`,
  work: `${directory}/images/${index}/work`,
  mountpoint: `${directory}/images/${index}/merged`,
});
/** The last five health checks, in no order. */
export const healthCheckFiles = (directory: string): string[] =>
  [0, 1, 2, 3, 4].map((number) => `${directory}/health.${number}`);
export const LOG_NAME = 'container.log';

/** The supervisor's socket in a container's (or an exec session's) runtime directory. */
export const attachSocket = (runtimeDirectory: string): string => `${runtimeDirectory}/attach`;
