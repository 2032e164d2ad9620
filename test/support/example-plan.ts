/** Plans with fixed inputs, built by the code that builds real ones: for the printers, and as readable snapshots of the programs. */
import { planSupervisor } from '../../src/engine/launch-supervisor.ts';
import type { CreateRequest } from '../../src/engine/request.ts';
import { runtimeConfig } from '../../src/engine/runtime-config.ts';
import type { Plan } from '../../src/explain/plan.ts';
import { DEFAULT_CAPABILITIES } from '../../src/launch/capabilities.ts';
import { execProgram, joinPidNamespace } from '../../src/launch/exec-program.ts';
import { initSteps } from '../../src/launch/init-program.ts';
import type { PathKind } from '../../src/launch/masks.ts';
import { namespaceFlags, startProgram } from '../../src/launch/start-program.ts';
import { noneDriver } from '../../src/network/plain-drivers.ts';
import type { RootfsPaths } from '../../src/rootfs/driver.ts';
import { rootfsDriver } from '../../src/rootfs/drivers.ts';
import { rootlessMap } from '../../src/rootless/subordinate-ids.ts';
import type { RuntimeConfig } from '../../src/spec/runtime.ts';
import type { Program } from '../../src/sys/step.ts';

const OWN = { kind: 'own', word: 'private' } as const;

const STORE = '/home/alice/.local/share/tsrun';
const hex = (digit: string): string => digit.repeat(64);
const CONTAINER = `${STORE}/containers/${hex('c')}`;

/** Two paths of each kind, so that the snapshot shows how each is covered. */
const kindOf: PathKind = (path) =>
  ['/proc/kcore', '/proc/sysrq-trigger'].includes(path)
    ? 'file'
    : path === '/proc/acpi'
      ? 'absent'
      : 'directory';

const SECCOMP = {
  defaultAction: 'SCMP_ACT_ERRNO',
  defaultErrnoRet: 38,
  syscalls: [{ names: ['read', 'write', 'exit_group'], action: 'SCMP_ACT_ALLOW' }],
};

const CAPABILITIES = [...DEFAULT_CAPABILITIES];

/** The configuration of `tsrun run --name web busybox httpd -f`, with fewer masks and a small filter. */
export function exampleConfig(change: Partial<CreateRequest> = {}, singleId = false): RuntimeConfig {
  const request = {
    ...{ tty: false, ulimits: [], readOnly: false, privileged: false, init: false },
    ...{
      namespaces: { pid: OWN, ipc: OWN, uts: OWN, cgroup: OWN },
      sysctls: {},
      devices: [],
      annotations: {},
      resources: {},
    },
    ...change,
  };
  return runtimeConfig({
    request: request as unknown as CreateRequest,
    args: ['httpd', '-f'],
    env: ['PATH=/usr/bin:/bin', 'HOSTNAME=web', 'HOME=/root'],
    cwd: '/srv/www',
    user: { uid: 0, gid: 0, additionalGids: [10], home: '/root' } as never,
    joined: {},
    hostname: 'web',
    security: {
      capabilities: {
        bounding: CAPABILITIES,
        effective: CAPABILITIES,
        permitted: CAPABILITIES,
        inheritable: [],
        ambient: [],
      },
      seccomp: SECCOMP,
      noNewPrivileges: false,
      maskedPaths: ['/proc/acpi', '/proc/kcore', '/sys/firmware'],
      readonlyPaths: ['/proc/sys', '/proc/sysrq-trigger'],
    },
    mounts: [],
    network: { kind: 'new' },
    sysctls: {},
    singleId,
    cgroup2: false,
    files: { hosts: `${CONTAINER}/hosts`, hostname: undefined, resolvConf: undefined },
    mountpoint: `${CONTAINER}/rootfs`,
    init: undefined,
  });
}

const LAYERS = [hex('a'), hex('b')].map((chainId) => `${STORE}/layers/${chainId}/diff`);
const PATHS = {
  lowers: [...LAYERS].reverse(),
  upper: `${CONTAINER}/upper`,
  work: `${CONTAINER}/work`,
  mountpoint: `${CONTAINER}/rootfs`,
};

/** Program B: what the supervisor runs. */
export function exampleStart(
  config: RuntimeConfig,
  canSetGroups = true,
  paths: RootfsPaths = PATHS,
  kind: PathKind = kindOf,
): Program {
  return startProgram({
    config,
    openStdin: false,
    flags: namespaceFlags(config),
    rootfs: (slots) => rootfsDriver('overlay').plan(slots, paths),
    attach: (context) => noneDriver.attach({ ...context, ports: [], directory: '/run/user/1001/tsrun/c' }),
    child: ({ slots, streams, report, barrier, rootfs }) =>
      initSteps({ slots, config, rootfs, streams, report, barrier, kindOf: kind, canSetGroups }),
  });
}

/** Program A, which makes or joins (`holder`) the rootless namespaces. */
export const exampleLaunch = (
  maps: Plan['idMaps'],
  holder?: number,
  extra: readonly number[] = [],
): Program =>
  planSupervisor({
    rootless: { maps, holder },
    spec: Buffer.alloc(4096),
    directory: CONTAINER,
    runtimeDirectory: 20,
    traceFd: undefined,
    extra,
    before: () => extra.map((fd) => joinPidNamespace(fd)),
  });

export const exampleExec = (config: RuntimeConfig): Program =>
  execProgram({ config, openStdin: true, initPidfd: 8, canSetGroups: true });

const MAPS = {
  uids: rootlessMap(1001, [{ start: 100000, count: 65536 }]),
  gids: rootlessMap(1001, [{ start: 100000, count: 65536 }]),
  single: false,
};
const SINGLE = { uids: rootlessMap(1001, []), gids: rootlessMap(1001, []), single: true };

/** A whole plan. `single`: of a user without subordinate ids. */
export function examplePlan(kind: 'default' | 'terminal' | 'single' = 'default'): Plan {
  const idMaps = kind === 'single' ? SINGLE : MAPS;
  const config = exampleConfig({ tty: kind === 'terminal' }, idMaps.single);
  return {
    commandLine: ['tsrun', 'run', '--name', 'web', 'busybox', 'httpd', '-f'],
    image: {
      reference: 'docker.io/library/busybox:latest',
      digest: `sha256:${hex('1')}`,
      layers: [
        {
          digest: `sha256:${hex('2')}`,
          chainId: `sha256:${hex('a')}`,
          size: 2_160_000,
          path: LAYERS[0] ?? '',
        },
        { digest: `sha256:${hex('3')}`, chainId: `sha256:${hex('b')}`, path: LAYERS[1] ?? '' },
      ],
    },
    idMaps,
    joins: false,
    rootfs: { driver: 'overlay', why: 'the kernel’s own works here', paths: PATHS },
    network: {
      driver: 'none',
      why: 'asked for',
      ports: [{ hostIp: '', hostPort: 8000, containerPort: 80, protocol: 'tcp' }],
    },
    config,
    files: { '/etc/hosts': '127.0.0.1\tlocalhost\n' },
    programs: [
      { title: 'tsrun → supervisor', program: exampleLaunch(idMaps) },
      { title: 'supervisor → container', program: exampleStart(config, !idMaps.single) },
    ],
  };
}
