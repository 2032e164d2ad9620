/**
 * Being a member of the hub of the user's bridge networks: of the one that runs, or of one that is started. One command at a time starts
 * one (start-hub.ts); a connection to a hub that ends at this very moment is none, and starts another.
 */
import { closeSync, openSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pollDescriptors, seconds } from '../network/helper-steps.ts';
import { type HostNetwork, readHostNetwork } from '../network/host-network.ts';
import { hello } from '../network/hub-protocol.ts';
import { tryLock, waitForLock } from '../store/lock.ts';
import { hubDirectory } from '../store/paths.ts';
import { call, op } from '../sys/calls.ts';
import {
  AF_UNIX,
  MSG_CMSG_CLOEXEC,
  MSG_NOSIGNAL,
  SCM_RIGHTS,
  SOCK_CLOEXEC,
  SOCK_SEQPACKET,
  SOL_SOCKET,
} from '../sys/constants.ts';
import { makeDirectories } from '../sys/make-directories.ts';
import { nativeRunner, SyscallFailure } from '../sys/run.ts';
import { type Memory, Slots, type Step } from '../sys/step.ts';
import { HUB_LOG, hubAddress } from './hub-files.ts';
import { networkHelper } from './network-helper.ts';
import { moveDefaultNetwork } from './networks.ts';
import type { Engine } from './open-engine.ts';

/** A hub that we have just started. */
interface Started {
  /** Descriptor of its report, ours. */
  report: number;
  /** Waits for what comes of its uplink: the system's words for a failure. */
  uplinkFailure(): string | undefined;
}

/** Being a member. All descriptors are ours. */
export class HubMember implements Disposable {
  /** While it is open, anywhere, the hub lives. */
  readonly connection: number;
  /** The network namespace of the bridges. */
  readonly netns: number;
  /** Its pidfd: in whose user namespace its members have to be. */
  readonly pidfd: number;
  readonly #started: Started | undefined;
  readonly #logPath: string;

  constructor(connection: number, { netns, pidfd }: Given, logPath: string, started?: Started) {
    this.connection = connection;
    this.netns = netns;
    this.pidfd = pidfd;
    this.#logPath = logPath;
    this.#started = started;
  }

  /** Has it not been killed in the meantime? */
  get isAlive(): boolean {
    const slots = new Slots();
    const events = slots.new('events');
    const hangUp = pollDescriptors([[this.connection, 0]]);
    const look = call('user', 'is the hub still there?', 'ppoll', [hangUp, 1, seconds(0), 0, 8], {
      result: events,
      retry: true,
    });
    return nativeRunner.run({ slots, steps: [look] })(events) === 0;
  }

  /** Why the uplink could not be started, in the helper's words and the system's; undefined when it could. Waits for either. */
  uplinkFailure(): string | undefined {
    const words = readWords(this.#logPath);
    if (!this.#started) return words || undefined;
    const failure = this.#started.uplinkFailure();
    return failure && [readWords(this.#logPath), failure].filter((text) => text !== '').join(' ');
  }

  [Symbol.dispose](): void {
    const report = this.#started?.report;
    for (const fd of [this.connection, this.netns, this.pidfd, ...(report === undefined ? [] : [report])]) {
      closeSync(fd);
    }
  }
}

const readWords = (path: string): string => {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
};

/** What a new hub needs. */
export interface HubNeeds {
  host: HostNetwork;
  /** slirp4netns's executable; undefined = no way out */
  helper: string | undefined;
}

/** What a hub needs here now. */
export function hubNeeds(engine: Engine): HubNeeds {
  const found = networkHelper(engine, 'slirp4netns');
  return { host: readHostNetwork(), helper: found.usable ? found.path : undefined };
}

/** @throws ERR_TSRUN_HUB, ERR_TSRUN_NAMESPACES */
export async function joinHub(engine: Engine, needs: HubNeeds): Promise<HubMember> {
  const path = hubDirectory(engine.paths);
  makeDirectories(path, 0o700);
  const directory = openSync(path, 'r');
  try {
    const running = sayHello(directory, join(path, HUB_LOG));
    if (running) return running;
    const lockPath = join(path, 'lock');
    using _lock = tryLock(lockPath) ?? (await waitForLock(lockPath));
    const started = sayHello(directory, join(path, HUB_LOG));
    if (started) return started;
    moveDefaultNetwork(engine);
    return await (await import('./start-hub.ts')).startHub(engine, needs, directory, path);
  } finally {
    closeSync(directory);
  }
}

/** The running hub, when there is one; without waiting for a lock, and without starting one. */
export function findHub(engine: Engine): HubMember | undefined {
  const path = hubDirectory(engine.paths);
  if (!statSync(path, { throwIfNoEntry: false })) return undefined;
  const directory = openSync(path, 'r');
  try {
    return sayHello(directory, join(path, HUB_LOG));
  } finally {
    closeSync(directory);
  }
}

function sayHello(directory: number, logPath: string): HubMember | undefined {
  const slots = new Slots();
  const connection = slots.new('connection');
  const { memory, size } = hubAddress(directory);
  const steps = [
    call('user', 'a socket', 'socket', [AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0], { result: connection }),
    call('user', 'is there a hub?', 'connect', [connection, memory, size]),
  ];
  try {
    const fd = nativeRunner.run({ slots, steps })(connection);
    const given = askHub(fd);
    if (given) return new HubMember(fd, given, logPath);
    closeSync(fd);
  } catch (error) {
    if (!(error instanceof SyscallFailure)) throw error;
    const fd = error.results(connection);
    if (fd >= 0) closeSync(fd);
  }
  return undefined;
}

const RIGHTS_SIZE = 24;

/** What the hub gives to a member: descriptors of its network namespace, and its pidfd. */
interface Given {
  netns: number;
  pidfd: number;
}

/** HELLO, and what it is answered with. Undefined when the hub has just ended. */
function askHub(connection: number): Given | undefined {
  const greeting = call('user', 'say hello', 'sendto', [connection, hello(), 4, MSG_NOSIGNAL, 0, 0]);
  return hearHub(connection, [greeting]);
}

/** What a HELLO is answered with, after the steps `before`. Undefined when the hub has just ended. */
export function hearHub(connection: number, before: readonly Step[] = []): Given | undefined {
  const slots = new Slots();
  const [got, netns, pidfd] = ['got', 'netns', 'pidfd'].map((name) => slots.new(name));
  if (!got || !netns || !pidfd) return undefined;
  const control: Memory = {
    fields: [
      { width: 8, value: RIGHTS_SIZE },
      { width: 4, value: SOL_SOCKET },
      { width: 4, value: SCM_RIGHTS },
      { width: 4, into: netns },
      { width: 4, into: pidfd },
    ],
  };
  const iovec: Memory = { fields: [{ pointer: { buffer: 8 } }, { width: 8, value: 4 }] };
  const header: Memory = {
    fields: [
      { width: 8, value: 0 },
      { width: 8, value: 0 },
      { pointer: iovec },
      { width: 8, value: 1 },
      { pointer: control },
      { width: 8, value: RIGHTS_SIZE },
      { width: 8, value: 0 },
    ],
    say: 'SCM_RIGHTS',
  };
  const steps = [
    ...before,
    call('user', 'its namespace and its pidfd', 'recvmsg', [connection, header, MSG_CMSG_CLOEXEC], {
      result: got,
      retry: true,
    }),
    op('user', 'it must answer', { kind: 'expect', value: got, equals: 4, errno: 'ECONNRESET' }),
  ];
  try {
    const results = nativeRunner.run({ slots, steps });
    return { netns: results(netns), pidfd: results(pidfd) };
  } catch (error) {
    if (error instanceof SyscallFailure) return undefined; // it has ended between our two calls
    throw error;
  }
}
