/**
 * container.json: what the user asked for and what it resolved to. Written when the container is created, and again by `rename` and `update`;
 * `config.json` beside it is the OCI runtime configuration made of it. What the container *does* is not in here: see container-state.ts.
 */

import type { IdMaps } from '../rootless/id-map.ts';
import type { ChainId, Digest } from '../spec/image.ts';
import type { ShareableNamespace } from '../spec/runtime.ts';

export interface PublishedPort {
  hostIp: string;
  hostPort: number;
  containerPort: number;
  protocol: 'tcp' | 'udp';
}

/** A mount as the user sees it in `inspect`. */
export interface RecordedMount {
  type: 'bind' | 'volume' | 'tmpfs' | 'image' | 'devpts';
  /** Of an image: what is mounted, its lowest layer first, and where the container takes it from. */
  image?: { imageId: Digest; layers: ChainId[]; mountpoint: string };
  /** Volume name. */
  name?: string;
  /** Removed with the container. */
  anonymous?: boolean;
  source: string;
  destination: string;
  options: string[];
}

/** Docker's: `unless-stopped` differs from `always` only after a reboot. */
export interface RestartPolicy {
  name: 'no' | 'on-failure' | 'always' | 'unless-stopped';
  /** Of on-failure; 0 = without end. */
  maximumRetryCount: number;
}

/** All times in milliseconds. */
export interface HealthCheck {
  /** As images have it: `CMD`, then the words of a command; or `CMD-SHELL` and a line. */
  test: string[];
  /** The image's, for CMD-SHELL; /bin/sh -c when absent */
  shell?: string[];
  /** 0 = only when asked for */
  intervalMs: number;
  timeoutMs: number;
  startPeriodMs: number;
  startIntervalMs: number;
  retries: number;
  onFailure: 'none' | 'kill' | 'restart' | 'stop';
}

/** Whose namespaces a container shares: another container's, by its id, or one that somebody has made. */
export type SharedNamespaces = Partial<Record<ShareableNamespace, { container?: string; path?: string }>>;

/** Who tells the service manager that the container is ready. */
export type NotifyMode = 'container' | 'conmon' | 'healthy' | 'ignore';

/** What keeps a container's output. */
export type LogDriver = 'k8s-file' | 'json-file' | 'journald' | 'passthrough' | 'none';

export interface ContainerRecord {
  /** 64 hex digits */
  id: string;
  name: string;
  /** Full reference, or the id the user gave. */
  image: string;
  imageId: Digest;
  imageDigest: Digest;
  /** Chain ids, lowest layer first. */
  layers: ChainId[];
  /** --rootfs: the directory that takes the image's place, below the container's changes or as it is. */
  rootfs?: { path: string; overlay: boolean } | undefined;
  rootfsDriver: 'overlay' | 'fuse-overlayfs' | 'copy';
  /** RFC 3339 */
  createdAt: string;
  /** The whole command line: entrypoint and arguments. */
  command: string[];
  entrypoint: string[];
  labels: Record<string, string>;
  /** --network as the user wrote it; absent = private */
  networkMode?: string | undefined;
  /** --ip and the like */
  endpoint?: {
    ipv4?: string | undefined;
    ipv6?: string | undefined;
    mac?: string | undefined;
    aliases: string[];
  };
  /** Name of the driver that it meant at creation. */
  network: string;
  /** Whether the forwarder of its published ports shows clients' own addresses; absent = a helper publishes them, or nothing is. */
  keepsClientAddresses?: boolean | undefined;
  addHosts: string[];
  noHosts: boolean;
  dns: { dns: string[]; dnsSearch: string[]; dnsOption: string[] };
  ports: PublishedPort[];
  mounts: RecordedMount[];
  tty: boolean;
  openStdin: boolean;
  autoRemove: boolean;
  /** Signal number */
  stopSignal: number;
  /** seconds */
  stopTimeout: number;
  /** Absent: no. */
  restart?: RestartPolicy | undefined;
  health?: HealthCheck | undefined;
  /** --sdnotify; absent: container */
  sdnotify?: NotifyMode | undefined;
  /** Files that a start writes the pid of its first process to, and that of its supervisor. */
  pidfile?: string | undefined;
  conmonPidfile?: string | undefined;
  /** Seconds that a start may last; absent: as long as it wants. */
  timeout?: number | undefined;
  user: string;
  hostname: string;
  workdir: string;
  env: string[];
  privileged: boolean;
  readOnly: boolean;
  /** --security-opt, as written */
  securityOpt?: string[];
  init: boolean;
  /** --device */
  devices?: { source: string; destination: string }[];
  /** Ports that its image and --expose name: `80/tcp` */
  expose?: string[];
  /** --cidfile, an absolute path */
  cidfile?: string | undefined;
  /** --cgroups; absent: one of its own wherever the user may make one */
  cgroups?: 'enabled' | 'disabled' | 'required' | undefined;
  /** --cgroup-parent */
  cgroupParent?: string | undefined;
  logDriver: LogDriver;
  /** --log-opt path: of its log's file; absent: in its directory */
  logPath?: string | undefined;
  /** --log-opt tag, a template */
  logTag?: string | undefined;
  /** --log-opt max-size (bytes; 0 = never rotated) and max-file; absent: the default cap */
  logLimits?: { maxBytes?: number; files?: number } | undefined;
  /** --pid, --ipc, --uts, --cgroupns, where they are neither its own nor the host's */
  namespaces?: SharedNamespaces | undefined;
  /** Whether setgroups(2) is allowed in its user namespace. */
  singleId: boolean;
  /** --userns as the user wrote it; absent = host */
  userns?: string | undefined;
  /** Of its own user namespace: its ids → those of the rootless namespaces. */
  idMaps?: IdMaps | undefined;
}

/** The record of a JSON text, or undefined when it is damaged. */
export function parseContainerRecord(text: string): ContainerRecord | undefined {
  try {
    const value = JSON.parse(text) as Partial<ContainerRecord> | null;
    const isWhole =
      typeof value?.id === 'string' &&
      /^[0-9a-f]{64}$/.test(value.id) &&
      typeof value.name === 'string' &&
      Array.isArray(value.layers);
    return isWhole ? (value as ContainerRecord) : undefined;
  } catch {
    return undefined;
  }
}
