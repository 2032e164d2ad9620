/** The options of `create`, `run` and `explain run`, and what they make of an image's name and a command. */
import { resolve } from 'node:path';
import type { CreateRequest } from '../../engine/request.ts';
import { environmentEntries, readEnvironmentFile } from '../parse/environment.ts';
import { parseRootfs } from '../parse/rootfs.ts';
import { checkPlatform } from '../parse/scalars.ts';
import { usageError } from '../parse/usage.ts';
import { nonEmpty, oneOf } from '../parse/words-of-choice.ts';
import { FILE_OPTIONS, NETWORK_OPTIONS, RIGHTS_OPTIONS } from './isolation-options.ts';
import { LIMIT_OPTIONS, limitsRequest } from './limit-options.ts';
import { flag, list, type Values, value } from './option.ts';
import { PRESERVE_OPTION, PROCESS_OPTIONS } from './process-options.ts';
import { POLICY_OPTION, REGISTRY_OPTIONS, registryAccess } from './registry-options.ts';
import {
  healthRequest,
  logRequest,
  refuseContradictions,
  SUPERVISION_OPTIONS,
} from './supervision-options.ts';

export const PULL_POLICIES = ['always', 'missing', 'never', 'newer'] as const;

export const PULL_OPTIONS = {
  ...REGISTRY_OPTIONS,
  ...POLICY_OPTION,
  platform: value('OS/ARCH[/VARIANT]', 'Which image of several, such as linux/arm64', checkPlatform, {
    default: "this machine's",
  }),
  quiet: flag('Show no progress of a pull', { short: 'q' }),
  'strict-names': flag('Refuse an image whose name has no registry, and which is no id'),
};

export const CREATE_OPTIONS = {
  ...PROCESS_OPTIONS,
  ...FILE_OPTIONS,
  ...NETWORK_OPTIONS,
  ...RIGHTS_OPTIONS,
  ...LIMIT_OPTIONS,
  ...SUPERVISION_OPTIONS,
  ...PULL_OPTIONS,
  cidfile: value(
    'FILE',
    "Write the container's id to a file, which must not be there yet",
    nonEmpty('--cidfile'),
  ),
  'conmon-pidfile': value(
    'FILE',
    "Write the pid of the container's supervisor to a file",
    nonEmpty('--conmon-pidfile'),
  ),
  pidfile: value(
    'FILE',
    "Write the pid of the container's first process to a file, at each start",
    nonEmpty('--pidfile'),
  ),
  name: value('NAME', 'Name of the container', nonEmpty('--name'), { default: 'two random words' }),
  pull: value(
    'WHEN',
    'When to ask the registry: always, missing, never or newer',
    oneOf('--pull', PULL_POLICIES),
    {
      default: 'missing',
    },
  ),
  replace: flag('Remove the container that has this name first'),
  rm: flag('Remove the container when it ends'),
  rootfs: flag('IMAGE is a directory, which becomes the root file system; DIRECTORY:O leaves it as it is'),
};

export const RUN_OPTIONS = {
  ...PRESERVE_OPTION,
  ...CREATE_OPTIONS,
  attach: list(
    'STREAM',
    'Attach only stdin, stdout or stderr',
    oneOf('--attach', ['stdin', 'stdout', 'stderr']),
    {
      short: 'a',
    },
  ),
  detach: flag('Leave the container running, and print its id', { short: 'd' }),
  'detach-keys': value('KEYS', "Keys that leave an attached container; '' for none", (text) => text, {
    default: 'ctrl-p,ctrl-q',
  }),
  trace: flag('Show, when it has started, each step that was executed, with its result and its time'),
  'sig-proxy': flag('Pass signals on to the command', { default: true }),
};

type Given = Values<typeof CREATE_OPTIONS> & Partial<Pick<Values<typeof RUN_OPTIONS>, 'detach'>>;

/** Later ones of the same name win when the engine merges them; files come first. */
export function givenEnvironment(given: Pick<Given, 'env' | 'env-file'>): string[] {
  return [
    ...given['env-file'].flatMap((file) => readEnvironmentFile(file, process.env)),
    ...given.env.flatMap((written) => environmentEntries(written, process.env)),
  ];
}

/** podman's older name for anonymous volumes is `bind`. */
const imageVolume = (kind: Given['image-volume'] = 'anonymous'): CreateRequest['imageVolume'] =>
  kind === 'bind' ? 'anonymous' : kind;

/** What is added to a file that there is not would be lost without a word. Throws ERR_TSRUN_USAGE. */
function withoutHosts(given: Given): boolean {
  const [added] = given['add-host'];
  if (given['no-hosts'] && added !== undefined)
    throw usageError(`--no-hosts and --add-host ${added} contradict each other`, 'leave one of them out');
  return given['no-hosts'];
}

/** `--dns none`. Throws ERR_TSRUN_USAGE for what would have to be written into the file. */
function withoutResolvConf(given: Given): boolean {
  const servers = given.dns.flat();
  if (!servers.includes('none')) return false;
  const [other] = [
    ...servers.filter((server) => server !== 'none').map((server) => `--dns ${server}`),
    ...given['dns-search'].flat().map((domain) => `--dns-search ${domain}`),
    ...given['dns-option'].map((option) => `--dns-option ${option}`),
  ];
  if (other !== undefined)
    throw usageError(`--dns none and ${other} contradict each other`, 'leave one of them out');
  return true;
}

const OWN = { kind: 'own', word: 'private' } as const;

/** Throws ERR_TSRUN_USAGE, ERR_TSRUN_MOUNT_SOURCE. */
export function createRequest(given: Given, image: string, command: string[]): CreateRequest {
  refuseContradictions(given);
  return {
    image,
    rootfs: given.rootfs ? parseRootfs(image, process.cwd()) : undefined,
    command,
    name: given.name,
    interactive: given.interactive,
    tty: given.tty,
    detach: given.detach ?? true,
    remove: given.rm,
    restart: given.restart,
    health: healthRequest(given),
    log: logRequest(given),
    sdnotify: given.sdnotify,
    timeout: given.timeout,
    init: given.init,
    readOnly: given['read-only'],
    entrypoint: given.entrypoint,
    env: givenEnvironment(given),
    workdir: given.workdir,
    user: given.user,
    hostname: given.hostname,
    network: given.network.length === 0 ? undefined : given.network.join(','),
    endpoint: {
      ipv4: given.ip,
      ipv6: given.ip6,
      mac: given['mac-address'],
      aliases: given['network-alias'],
    },
    publish: given.publish.flat(),
    publishAll: given['publish-all'],
    mounts: [...given.volume, ...given.mount, ...given.tmpfs],
    volumesFrom: given['volumes-from'],
    labels: Object.fromEntries([...given['label-file'].flat(), ...given.label]),
    pull: given.pull ?? 'missing',
    platform: given.platform,
    access: registryAccess(given),
    signaturePolicy: given['signature-policy'],
    strictNames: given['strict-names'],
    capAdd: given['cap-add'].flat(),
    capDrop: given['cap-drop'].flat(),
    securityOpt: given['security-opt'],
    privileged: given.privileged,
    ulimits: given.ulimit,
    addHosts: given['add-host'],
    dns: given.dns.flat().filter((server) => server !== 'none'),
    dnsSearch: given['dns-search'].flat(),
    dnsOption: given['dns-option'],
    noHosts: withoutHosts(given),
    noResolvConf: withoutResolvConf(given),
    noHostname: given['no-hostname'],
    stopSignal: given['stop-signal'],
    stopTimeout: given['stop-timeout'],
    shmSize: given['shm-size'],
    storageDriver: given['storage-driver'],
    cidfile: given.cidfile,
    pidfile: given.pidfile && resolve(given.pidfile),
    conmonPidfile: given['conmon-pidfile'] && resolve(given['conmon-pidfile']),
    quiet: given.quiet,
    groupAdd: given['group-add'].flat(),
    userns: given.userns ?? { kind: 'host' },
    uidmap: given.uidmap,
    gidmap: given.gidmap,
    annotations: Object.fromEntries(given.annotation),
    sysctls: Object.fromEntries(given.sysctl),
    devices: given.device,
    expose: given.expose.flat(),
    namespaces: {
      pid: given.pid ?? OWN,
      ipc: given.ipc ?? OWN,
      uts: given.uts ?? OWN,
      cgroup: given.cgroupns ?? OWN,
    },
    domainname: given.domainname,
    umask: given.umask,
    envHost: given['env-host'],
    httpProxy: given['http-proxy'],
    unsetEnv: [...given.unsetenv, ...(given['unsetenv-all'] ? ['*'] : [])],
    imageVolume: imageVolume(given['image-volume']),
    readOnlyTmpfs: given['read-only-tmpfs'],
    replace: given.replace,
    ...limitsRequest(given),
  };
}
