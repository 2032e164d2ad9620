/** The OCI runtime configuration (runtime-spec config.md, config-linux.md), as far as tsrun writes and executes it. */

export interface RuntimeUser {
  uid: number;
  gid: number;
  umask?: number;
  additionalGids?: number[];
}

export interface CapabilitySets {
  bounding: string[];
  effective: string[];
  inheritable: string[];
  permitted: string[];
  ambient: string[];
}

export interface Rlimit {
  type: string;
  soft: number;
  hard: number;
}

export interface Process {
  terminal?: boolean;
  consoleSize?: { height: number; width: number };
  user: RuntimeUser;
  args: string[];
  env: string[];
  cwd: string;
  capabilities?: CapabilitySets;
  rlimits?: Rlimit[];
  noNewPrivileges?: boolean;
  oomScoreAdj?: number;
}

export interface RuntimeMount {
  destination: string;
  type?: string;
  source?: string;
  options?: string[];
}

export type NamespaceType = 'user' | 'mount' | 'pid' | 'network' | 'ipc' | 'uts' | 'cgroup' | 'time';

/** Those that a container may share with another one, besides its network. */
export type ShareableNamespace = 'pid' | 'ipc' | 'uts' | 'cgroup';

export interface RuntimeNamespace {
  type: NamespaceType;
  /** Join this one instead of making a new one. */
  path?: string;
}

export interface SeccompArgument {
  index: number;
  value: number | bigint;
  valueTwo?: number | bigint;
  op: string;
}

export interface SeccompSyscall {
  names: readonly string[];
  action: string;
  errnoRet?: number;
  args?: readonly SeccompArgument[];
}

export interface Seccomp {
  defaultAction: string;
  defaultErrnoRet?: number;
  architectures?: readonly string[];
  flags?: readonly string[];
  syscalls?: readonly SeccompSyscall[];
}

export interface RuntimeIdMapping {
  containerID: number;
  hostID: number;
  size: number;
}

export interface RuntimeDevice {
  path: string;
  type: string;
  major?: number;
  minor?: number;
}

/** Bytes, microseconds, shares: config-linux.md, "Control groups"; 0 or absent = not set, below 0 = no limit. */
export interface RuntimeResources {
  /** `swap` counts memory and swap together. */
  memory?: { limit?: number; swap?: number; reservation?: number };
  cpu?: { shares?: number; quota?: number; period?: number; cpus?: string; mems?: string };
  pids?: { limit: number };
}

export interface Linux {
  namespaces: RuntimeNamespace[];
  uidMappings?: RuntimeIdMapping[];
  gidMappings?: RuntimeIdMapping[];
  devices?: RuntimeDevice[];
  resources?: RuntimeResources;
  sysctl?: Record<string, string>;
  seccomp?: Seccomp;
  maskedPaths?: readonly string[];
  readonlyPaths?: readonly string[];
  rootfsPropagation?: string;
}

export interface RuntimeConfig {
  ociVersion: string;
  process: Process;
  root: { path: string; readonly?: boolean };
  hostname?: string;
  domainname?: string;
  mounts: RuntimeMount[];
  annotations?: Record<string, string>;
  linux: Linux;
}
