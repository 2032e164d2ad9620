/** What the user asked for: the words of the command line, parsed and checked for form, but not yet looked up anywhere. */
import type { EndpointOptions } from '../network/parse-network.ts';
import type { RegistryAccess } from '../registry/access.ts';
import type { IdMapEntry } from '../rootless/id-map.ts';
import type { Userns } from '../rootless/nested-map.ts';
import type { RuntimeResources, ShareableNamespace } from '../spec/runtime.ts';
import type {
  ContainerRecord,
  HealthCheck,
  LogDriver,
  NotifyMode,
  RestartPolicy,
} from '../store/container-record.ts';

export type PullPolicy = 'always' | 'missing' | 'never' | 'newer';

/** `-v src:dst:opts`, `--mount`, `--tmpfs`, in one form. */
export interface MountRequest {
  type: 'bind' | 'volume' | 'tmpfs' | 'image' | 'devpts';
  /** Host path, volume name, image, or undefined for an anonymous volume, tmpfs and devpts. */
  source: string | undefined;
  destination: string;
  /** As written: ro, z, noexec, size=64m, … */
  options: string[];
}

/** --rootfs: a directory of the user's instead of an image. `overlay`: it stays as it is. */
export interface RootfsRequest {
  path: string;
  overlay: boolean;
}

/** Whose namespace a container has. `word` is how its own one was asked for. */
export type NamespaceRequest =
  | { kind: 'own'; word: string }
  | { kind: 'host' }
  | { kind: 'container'; container: string }
  | { kind: 'ns'; path: string };

/** `-p`, before host ports are chosen. Ranges are expanded; hostPort 0 = choose one. */
export interface PublishRequest {
  hostIp: string;
  hostPort: number;
  containerPort: number;
  protocol: 'tcp' | 'udp';
}

/** `--health-*`; what is undefined is the image's, or the default. All times in milliseconds. */
export interface HealthRequest {
  /** --no-healthcheck */
  none: boolean;
  command: string | undefined;
  intervalMs: number | undefined;
  timeoutMs: number | undefined;
  startPeriodMs: number | undefined;
  startIntervalMs: number | undefined;
  retries: number | undefined;
  onFailure: HealthCheck['onFailure'] | undefined;
}

export interface LogRequest {
  driver: LogDriver;
  /** --log-opt: max-size in bytes, 0 = never rotated; max-file; path, absolute; tag, a template */
  maxBytes?: number;
  files?: number;
  path?: string;
  tag?: string;
}

/** Options that `create` and `run` share. Names follow the long options of podman. */
export interface CreateRequest {
  /** With `rootfs` what was written in its place. */
  image: string;
  rootfs: RootfsRequest | undefined;
  command: string[];
  name: string | undefined;
  interactive: boolean;
  tty: boolean;
  detach: boolean;
  remove: boolean;
  restart: RestartPolicy | undefined;
  health: HealthRequest;
  log: LogRequest;
  sdnotify: NotifyMode | undefined;
  /** seconds */
  timeout: number | undefined;
  init: boolean;
  readOnly: boolean;
  /** --entrypoint: undefined = the image's; [] = none; a JSON array or one word otherwise */
  entrypoint: string[] | undefined;
  env: string[];
  workdir: string | undefined;
  user: string | undefined;
  hostname: string | undefined;
  network: string | undefined;
  /** --ip, --ip6, --mac-address, --network-alias */
  endpoint: EndpointOptions;
  publish: PublishRequest[];
  publishAll: boolean;
  mounts: MountRequest[];
  /** --volumes-from CONTAINER[:ro] */
  volumesFrom: string[];
  labels: Record<string, string>;
  pull: PullPolicy;
  platform: string | undefined;
  capAdd: string[];
  capDrop: string[];
  securityOpt: string[];
  privileged: boolean;
  ulimits: string[];
  addHosts: string[];
  dns: string[];
  dnsSearch: string[];
  dnsOption: string[];
  noHosts: boolean;
  noResolvConf: boolean;
  noHostname: boolean;
  stopSignal: string | undefined;
  stopTimeout: number | undefined;
  shmSize: number | undefined;
  storageDriver: string | undefined;
  cidfile: string | undefined;
  /** Absolute paths. */
  pidfile: string | undefined;
  conmonPidfile: string | undefined;
  /** How registries are spoken to. */
  access?: RegistryAccess | undefined;
  /** --signature-policy */
  signaturePolicy?: string | undefined;
  /** The image must be named in full. */
  strictNames?: boolean;
  /** No progress of a pull. */
  quiet: boolean;
  groupAdd: string[];
  userns: Userns;
  uidmap: IdMapEntry[];
  gidmap: IdMapEntry[];
  annotations: Record<string, string>;
  sysctls: Record<string, string>;
  devices: DeviceRequest[];
  /** --expose: 80/tcp */
  expose: string[];
  /** --pid, --ipc, --uts, --cgroupns */
  namespaces: Record<ShareableNamespace, NamespaceRequest>;
  domainname: string | undefined;
  umask: number | undefined;
  envHost: boolean;
  /** The caller's proxies, too. */
  httpProxy: boolean;
  /** --unsetenv; `*` is --unsetenv-all */
  unsetEnv: string[];
  /** Where the image wants a volume. */
  imageVolume: 'anonymous' | 'tmpfs' | 'ignore';
  readOnlyTmpfs: boolean;
  resources: RuntimeResources;
  oomScoreAdj: number | undefined;
  /** undefined: enabled */
  cgroups: ContainerRecord['cgroups'];
  cgroupParent: string | undefined;
  /** A container of that name is removed first. */
  replace: boolean;
}

/** `--device SOURCE[:DESTINATION]` */
export interface DeviceRequest {
  source: string;
  destination: string;
}

/** `tsrun exec`. */
export interface ExecRequest {
  command: string[];
  interactive: boolean;
  tty: boolean;
  detach: boolean;
  env: string[];
  user: string | undefined;
  workdir: string | undefined;
  privileged: boolean;
  /** --preserve-fds */
  preserve: number;
}
