/**
 * `--sdnotify`: a container that a service manager has started, which wants to hear of it (sd_notify(3); systemd.service(5), Type=notify).
 * Loaded only where NOTIFY_SOCKET is in the environment.
 *
 * The unit's main process becomes the supervisor, which ends with the container's exit status: tsrun, who is that process before, says so.
 * READY=1 follows at once (conmon), with the first successful health check (healthy; the supervisor says it), or when the
 * container says it itself (container): then a socket of the supervisor's is mounted in it, and what may pass is passed on (native/supervisor/notify.h).
 */
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { RuntimeConfig } from '../spec/runtime.ts';
import type { ContainerRecord, NotifyMode } from '../store/container-record.ts';
import { runtimeContainerDirectory } from '../store/paths.ts';
import type { SupervisorSpec } from '../supervisor/spec.ts';
import { call, callNow } from '../sys/calls.ts';
import {
  AF_UNIX,
  AT_FDCWD,
  MSG_NOSIGNAL,
  SO_SNDTIMEO,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOL_SOCKET,
} from '../sys/constants.ts';
import { SyscallFailure } from '../sys/run.ts';
import type { Slot, Step } from '../sys/step.ts';
import type { Engine } from './open-engine.ts';

/** Where the container finds it, as crun has it. */
const INSIDE = '/run/notify';
const SOCKET = 'notify.sock';
/** sockaddr_un has room for 108 (unix(7)); the supervisor wants a NUL behind it. */
const LONGEST_ADDRESS = 107;
/** For a service manager that takes nothing: struct timeval. */
const PATIENCE = Buffer.from(new BigInt64Array([5n, 0n]).buffer);

/** What a start does besides because of it. */
export interface ServiceManager {
  config: RuntimeConfig;
  /** For the supervisor's spec. */
  notify: SupervisorSpec['notify'];
  /** Steps of the supervisor before the container is cloned: the container's socket is in `socket`. */
  before(socket: Slot): Step[];
  /** The supervisor is there, from which comes what the container says; that may be sooner: NotifyAccess=all, which knows it as the unit's either way. */
  begins(supervisor: number): void;
  /** The container runs. */
  runs(supervisor: number): void;
}

/** @param address the content of NOTIFY_SOCKET; `given`: --sdnotify of this start. Undefined: nobody is to hear of it. */
export function serviceManager(
  engine: Engine,
  record: ContainerRecord,
  config: RuntimeConfig,
  address: string,
  given: NotifyMode | undefined,
): ServiceManager | undefined {
  const mode = given ?? record.sdnotify ?? 'container';
  if (mode === 'ignore') return undefined;
  if (!/^[/@]./.test(address) || Buffer.byteLength(address) > LONGEST_ADDRESS) {
    engine.warn(
      `NOTIFY_SOCKET=${address} is neither a path nor @NAME of at most ${LONGEST_ADDRESS} bytes: the service manager is told nothing`,
    );
    return undefined;
  }
  const nothing = { begins: () => {}, runs: () => {}, before: () => [] };
  if (mode === 'conmon') {
    const runs = (pid: number): void => send(engine, address, `MAINPID=${pid}\nREADY=1`);
    return { ...nothing, config, notify: undefined, runs };
  }
  const begins = (pid: number): void => send(engine, address, `MAINPID=${pid}`);
  if (mode === 'healthy')
    return { ...nothing, config, notify: { socket: address, whenHealthy: true }, begins };
  const directory = join(runtimeContainerDirectory(engine.paths, record.id), 'notify');
  return {
    ...nothing,
    begins,
    config: withSocket(config, directory),
    notify: { socket: address, whenHealthy: false },
    before: (socket) => makeSocket(directory, socket),
  };
}

/** Every user of the container may speak to it. */
function withSocket(config: RuntimeConfig, directory: string): RuntimeConfig {
  mkdirSync(directory, { recursive: true });
  chmodSync(directory, 0o755); // whatever the umask is
  const options = ['bind', 'ro', 'nosuid', 'nodev', 'noexec', 'rprivate'];
  const { process } = config;
  const env = process.env.filter((entry) => !entry.startsWith('NOTIFY_SOCKET='));
  return {
    ...config,
    mounts: [...config.mounts, { destination: INSIDE, type: 'bind', source: directory, options }],
    process: { ...process, env: [...env, `NOTIFY_SOCKET=${join(INSIDE, SOCKET)}`] },
  };
}

/** A path of any length: the supervisor goes there to give the socket its name. */
function makeSocket(directory: string, socket: Slot): Step[] {
  const address = unixAddress(SOCKET);
  const does = (why: string, ...what: [Parameters<typeof call>[2], Parameters<typeof call>[3]]): Step =>
    call('supervisor', why, ...what);
  return [
    call(
      'supervisor',
      'what the container says to systemd comes here',
      'socket',
      [AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0],
      {
        result: socket,
      },
    ),
    does('the directory that is mounted in it', 'chdir', [directory]),
    call('supervisor', 'one of an earlier start may be there', 'unlinkat', [AT_FDCWD, SOCKET, 0], {
      tolerate: ['ENOENT'],
    }),
    does('give it its name', 'bind', [socket, address, address.length]),
    does('every user of the container may write there', 'fchmodat', [AT_FDCWD, SOCKET, 0o666]),
    does('hold no directory of the user', 'chdir', ['/']),
  ];
}

/** struct sockaddr_un, without a NUL at the end: its length says where the name ends. */
function unixAddress(name: string): Buffer {
  const address = Buffer.from(`\0\0${name.startsWith('@') ? `\0${name.slice(1)}` : name}`);
  address.writeUInt16LE(AF_UNIX);
  return address;
}

/** A service manager that cannot be told is no reason to end what runs. */
function send(engine: Engine, address: string, words: string): void {
  const to = unixAddress(address);
  const bytes = Buffer.from(words);
  try {
    const fd = callNow('a socket to the service manager', 'socket', [AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0]);
    try {
      callNow('wait for it, but not for ever', 'setsockopt', [
        fd,
        SOL_SOCKET,
        SO_SNDTIMEO,
        PATIENCE,
        PATIENCE.length,
      ]);
      const flags = MSG_NOSIGNAL;
      callNow('say who is the main process', 'sendto', [fd, bytes, bytes.length, flags, to, to.length]);
    } finally {
      callNow('done', 'close', [fd]);
    }
  } catch (error) {
    if (!(error instanceof SyscallFailure)) throw error;
    engine.warn(`cannot notify the service manager at ${address}: ${error.message}`);
  }
}
