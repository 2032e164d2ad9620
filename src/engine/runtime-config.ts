/**
 * Image configuration + the user's options → OCI runtime configuration (config.json). Pure but for looking at what kind of file a mount's
 * source is. Stage 2 (src/launch) executes it, and knows nothing of images or options.
 */
import { statSync } from 'node:fs';
import { tsrunError } from '../errors.ts';
import { parseUlimits } from '../launch/rlimits.ts';
import type { NetworkNamespace } from '../network/driver.ts';
import { type IdMaps, toHost } from '../rootless/id-map.ts';
import type { RuntimeConfig, RuntimeMount, RuntimeNamespace } from '../spec/runtime.ts';
import type { RecordedMount } from '../store/container-record.ts';
import { DEFAULT_SHM_SIZE, defaultMounts } from './default-mounts.ts';
import { type JoinedPaths, SHAREABLE } from './joined-namespaces.ts';
import type { CreateRequest } from './request.ts';
import type { Security } from './security-options.ts';
import type { ResolvedUser } from './users.ts';

export interface ConfigInput {
  request: CreateRequest;
  args: string[];
  env: string[];
  cwd: string;
  user: ResolvedUser;
  hostname: string;
  security: Security;
  mounts: readonly RecordedMount[];
  network: NetworkNamespace;
  /** of the network driver */
  sysctls: Readonly<Record<string, string>>;
  singleId: boolean;
  cgroup2: boolean;
  /** Paths of namespaces that are joined, and of the mount namespace that has their shared memory. */
  joined: JoinedPaths;
  /** Of a user namespace of its own. */
  idMaps?: IdMaps | undefined;
  /** Generated files to be mounted on /etc/…; undefined where the image's own stays. */
  files: { hosts: string | undefined; hostname: string | undefined; resolvConf: string | undefined };
  mountpoint: string;
  /** Path of the static init for --init, as it appears inside. */
  init: { source: string; destination: string } | undefined;
}

const TTY_GROUP = 5;
const ANY_ID = [{ containerID: 0, hostID: 0, size: 2 ** 32 }];

/** root in the container may send ICMP echo requests without CAP_NET_RAW (icmp(7)) */
const PING = { 'net.ipv4.ping_group_range': '0 0' };

export const OCI_VERSION = '1.2.0';

export function runtimeConfig(input: ConfigInput): RuntimeConfig {
  const { request, security, user } = input;
  const rlimits = parseUlimits(request.ulimits).map(({ type, soft, hard }) => ({
    type,
    soft: Number(soft),
    hard: Number(hard),
  }));
  return {
    ociVersion: OCI_VERSION,
    process: {
      terminal: request.tty,
      user: {
        uid: user.uid,
        gid: user.gid,
        additionalGids: input.singleId ? [] : user.additionalGids,
        umask: request.umask ?? 0o022,
      },
      args: input.init ? [input.init.destination, ...input.args] : input.args,
      env: input.env,
      cwd: input.cwd,
      capabilities: security.capabilities,
      ...(rlimits.length > 0 && { rlimits }),
      ...(request.oomScoreAdj !== undefined && { oomScoreAdj: request.oomScoreAdj }),
      ...(security.noNewPrivileges && { noNewPrivileges: true }),
    },
    root: { path: input.mountpoint, readonly: request.readOnly },
    hostname: input.hostname,
    ...(request.domainname !== undefined && { domainname: request.domainname }),
    mounts: ownedByRoot(input, allMounts(input)),
    annotations: request.annotations,
    linux: {
      namespaces: namespaces(input),
      ...(input.idMaps && {
        uidMappings: [...input.idMaps.uids],
        gidMappings: [...input.idMaps.gids],
      }),
      ...(Object.keys(request.resources).length > 0 && { resources: request.resources }),
      ...sysctls(input),
      ...(security.seccomp && { seccomp: security.seccomp }),
      maskedPaths: security.maskedPaths,
      readonlyPaths: security.readonlyPaths,
    },
  };
}

/** Those of the network driver and the user's. Throws ERR_TSRUN_USAGE for one of a namespace that is not the container's own. */
function sysctls({ network, request, ...input }: ConfigInput): { sysctl?: Record<string, string> } {
  const names = Object.keys(request.sysctls);
  const foreign = names.find((name) =>
    name.startsWith('net.') ? network.kind !== 'new' : request.namespaces.ipc.kind !== 'own',
  );
  if (foreign !== undefined) {
    throw tsrunError('ERR_TSRUN_USAGE', {
      problem: `--sysctl ${foreign}: the container has no namespace of its own for it`,
      hint: foreign.startsWith('net.') ? '--network private' : '--ipc private',
    });
  }
  const own = network.kind === 'new' ? { ...PING, ...input.sysctls } : {};
  return network.kind === 'new' || names.length > 0 ? { sysctl: { ...own, ...request.sysctls } } : {};
}

function namespaces({ network, request, idMaps, joined }: ConfigInput): RuntimeNamespace[] {
  const list: RuntimeNamespace[] = [...(idMaps ? [{ type: 'user' } as const] : []), { type: 'mount' }];
  for (const type of SHAREABLE) {
    const path = joined[type];
    if (path !== undefined) list.push({ type, path });
    else if (request.namespaces[type].kind === 'own') list.push({ type });
  }
  if (network.kind === 'new') list.push({ type: 'network' });
  if (network.kind === 'path') list.push({ type: 'network', path: network.path });
  return list;
}

function baseMounts(input: ConfigInput): RuntimeMount[] {
  const { files, request, init } = input;
  const base = defaultMounts({
    shmSize: request.shmSize ?? DEFAULT_SHM_SIZE,
    ownNetwork: input.network.kind === 'new',
    cgroup2: input.cgroup2,
    privileged: request.privileged,
    ownProcesses: request.namespaces.pid.kind !== 'host',
    ipc: request.namespaces.ipc,
    sharedMemory: input.joined.sharedMemory,
    ttyGroup: !input.singleId && toHost(input.idMaps?.gids ?? ANY_ID, TTY_GROUP) !== undefined,
  });
  const generated = [
    ['/etc/hosts', files.hosts],
    ['/etc/hostname', files.hostname],
    ['/etc/resolv.conf', files.resolvConf],
  ] as const;
  for (const [destination, source] of generated) {
    if (source) base.push({ destination, type: 'bind', source, options: ['bind', 'rprivate', 'x-file'] });
  }
  if (init) {
    const options = ['bind', 'ro', 'nosuid', 'nodev', 'x-file'];
    base.push({ destination: init.destination, type: 'bind', source: init.source, options });
  }
  for (const { source, destination } of request.devices) {
    const isDirectory = statSync(source, { throwIfNoEntry: false })?.isDirectory() === true;
    const options = ['rbind', 'rprivate', 'nosuid', 'noexec', ...(isDirectory ? [] : ['x-file'])];
    base.push({ destination, type: 'bind', source, options });
  }
  // Programs expect to write there even if the root is read-only; what podman's --read-only-tmpfs does.
  if (request.readOnly && request.readOnlyTmpfs) {
    for (const destination of ['/tmp', '/run', '/var/tmp']) {
      base.push({ destination, type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'nodev', 'mode=1777'] });
    }
  }
  return base;
}

/** Options of -v that are tsrun's and not the kernel's: relabelling (no SELinux here), ownership. */
const NOT_KERNEL = new Set(['z', 'Z', 'U', 'copy', 'nocopy', 'cached', 'delegated', 'consistent']);

function toRuntimeMount(mount: RecordedMount): RuntimeMount {
  const options = mount.options.filter((option) => !NOT_KERNEL.has(option));
  if (mount.type === 'tmpfs') {
    const mode = options.some((option) => option.startsWith('mode=')) ? [] : ['mode=1777'];
    const source = 'tmpfs';
    return {
      destination: mount.destination,
      type: 'tmpfs',
      source,
      options: ['nosuid', 'nodev', ...mode, ...options],
    };
  }
  if (mount.type === 'devpts') {
    const safe = ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666'];
    return {
      destination: mount.destination,
      type: 'devpts',
      source: 'devpts',
      options: [...safe, ...options],
    };
  }
  const isFile = !mount.image && !statSync(mount.source, { throwIfNoEntry: false })?.isDirectory();
  const isDevice = /^\/dev(\/|$)/.test(mount.source);
  const safe = (isDevice ? ['nosuid'] : ['nosuid', 'nodev']).filter(
    (flag) => !options.includes(flag.slice(2)),
  );
  const bind = options.includes('bind') ? [] : ['rbind'];
  return {
    destination: mount.destination,
    type: 'bind',
    source: mount.image?.mountpoint ?? mount.source,
    options: [...bind, 'rprivate', ...safe, ...options, ...(isFile ? ['x-file'] : [])],
  };
}

/** In a user namespace of its own, mounts are made by somebody who is not the container's root yet, to whom a tmpfs would belong. */
function ownedByRoot({ idMaps }: ConfigInput, mounts: RuntimeMount[]): RuntimeMount[] {
  if (!idMaps) return mounts;
  const owner = (options: readonly string[]): string[] =>
    ['uid', 'gid']
      .filter((key) => !options.some((option) => option.startsWith(`${key}=`)))
      .map((key) => `${key}=0`);
  return mounts.map((mount) =>
    mount.type === 'tmpfs'
      ? { ...mount, options: [...(mount.options ?? []), ...owner(mount.options ?? [])] }
      : mount,
  );
}

/** tsrun's mounts and the user's. Who mounts a directory of the host on /dev gets what is in it, devices and all, as with podman. */
function allMounts(input: ConfigInput): RuntimeMount[] {
  const own = input.mounts.map(toRuntimeMount);
  const givesDev = own.some(({ destination, type }) => normal(destination) === '/dev' && type === 'bind');
  const base = baseMounts(input).filter(
    ({ destination }) => !givesDev || !normal(destination).startsWith('/dev/'),
  );
  return orderMounts([...base, ...own]);
}

/** A later mount on the same place wins; parents come before what is mounted inside them. */
function orderMounts(mounts: RuntimeMount[]): RuntimeMount[] {
  const depth = (path: string): number => path.split('/').filter(Boolean).length;
  const last = new Map(mounts.map((mount) => [normal(mount.destination), mount]));
  const isBase = (path: string): boolean => /^\/(proc|dev|sys)(\/|$)/.test(path);
  return [...last.values()].sort(
    (a, b) =>
      Number(isBase(b.destination)) - Number(isBase(a.destination)) ||
      depth(a.destination) - depth(b.destination),
  );
}

const normal = (path: string): string =>
  `/${path
    .split('/')
    .filter((part) => part && part !== '.')
    .join('/')}`;
