/**
 * Being a member of the hub of the user's bridge networks: of the one that runs, or of one that is started. One command at a time starts
 * one; a connection to a hub that ends at this very moment is none, and starts another. If the last one was killed, the new one takes over
 * what it has left (adopt-containers.ts).
 */
import { closeSync, mkdirSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { tsrunError } from '../errors.ts';
import { pollDescriptors, seconds } from '../network/helper-steps.ts';
import { type HostNetwork, readHostNetwork } from '../network/host-network.ts';
import type { UplinkOptions } from '../network/hub-program.ts';
import { hello } from '../network/hub-protocol.ts';
import { probeOutward } from '../network/outward/probe.ts';
import { awaitExecve, enter, runEntry } from '../rootless/enter.ts';
import { rememberHolder } from '../rootless/holder.ts';
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
import { type EncodedProgram, encodeProgram } from '../sys/encode.ts';
import { ERRNO, errnoName, errnoText } from '../sys/errno.ts';
import { FAILURE_RECORD_SIZE } from '../sys/format.ts';
import { startTimeOf } from '../sys/process.ts';
import { nativeRunner, SyscallFailure, systemWords } from '../sys/run.ts';
import { type Memory, Slots } from '../sys/step.ts';
import { adopt, findSurvivors, type Survivors } from './adopt-containers.ts';
import { HUB_LOG, type HubPlan, hubAddress, planHub } from './launch-hub.ts';
import { networkHelper } from './network-helper.ts';
import { moveDefaultNetwork } from './networks.ts';
import type { Engine } from './open-engine.ts';

/** Being a member. All descriptors are ours. */
export class HubMember implements Disposable {
  /** While it is open, anywhere, the hub lives. */
  readonly connection: number;
  /** The network namespace of the bridges. */
  readonly netns: number;
  /** Its pidfd: in whose user namespace its members have to be. */
  readonly pidfd: number;
  /** Of a hub that we have just started: what comes of its uplink. */
  readonly #started: { report: number; plan: HubPlan } | undefined;
  readonly #logPath: string;

  constructor(
    connection: number,
    { netns, pidfd }: { netns: number; pidfd: number },
    logPath: string,
    started?: { report: number; plan: HubPlan },
  ) {
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
    const { report, plan } = this.#started;
    const failure = plan.uplink && readFailure(report, plan.uplink);
    return failure && [readWords(this.#logPath), failure.words].filter((text) => text !== '').join(' ');
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
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const directory = openSync(path, 'r');
  try {
    const running = sayHello(directory, join(path, HUB_LOG));
    if (running) return running;
    const lockPath = join(path, 'lock');
    using _lock = tryLock(lockPath) ?? (await waitForLock(lockPath));
    const started = sayHello(directory, join(path, HUB_LOG));
    if (started) return started;
    moveDefaultNetwork(engine);
    return await startHub(engine, needs, directory, path);
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

/** HELLO, and what it is answered with. Undefined when the hub has just ended. */
function askHub(connection: number): { netns: number; pidfd: number } | undefined {
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
    call('user', 'say hello', 'sendto', [connection, hello(), 4, MSG_NOSIGNAL, 0, 0]),
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

/** @param directory the hub's */
export function uplinkOptions(
  engine: Engine,
  { host, helper }: HubNeeds,
  directory: string,
): UplinkOptions | undefined {
  if (helper === undefined) return undefined;
  const outward = probeOutward(engine.rootless, join(engine.paths.runtime, 'takes-connections'));
  return { path: helper, openFiles: host.openFiles, directory, outward: outward === undefined };
}

/** What the sockets of a hub that was killed, and its children's, are taken for until they have ended. */
const STILL_ENDING: readonly number[] = [ERRNO.EADDRINUSE, ERRNO.EBUSY];
const PATIENCE_MS = 10_000;

async function startHub(
  engine: Engine,
  needs: HubNeeds,
  directory: number,
  path: string,
  until = Date.now() + PATIENCE_MS,
): Promise<HubMember> {
  const uplink = uplinkOptions(engine, needs, path);
  using survivors = findSurvivors(engine);
  const way = survivors ? { maps: engine.maps, holder: survivors.holder } : engine.rootless();
  const { plan, results, taken } = enter(way, (rootless) => {
    // If the survivors have ended just now, there are new namespaces, and nothing to take over.
    const taken = rootless.holder === survivors?.holder ? survivors : undefined;
    const ipv6 = needs.host.hasIpv6;
    const plan = planHub({ rootless, directory, ipv6, uplink, netns: taken?.netns });
    const encoded = encodeProgram(plan);
    const results = runEntry(plan, encoded);
    awaitExecve(plan, encoded, results);
    return { plan, results, taken };
  });
  const pid = results(plan.pid);
  const startTime = startTimeOf(pid);
  if (startTime !== undefined) rememberHolder(engine.paths.runtime, { pid, startTime });
  for (const slot of [plan.pidfd, plan.reportRead, plan.helperOutput]) {
    if (results(slot) >= 0) closeSync(results(slot));
  }
  const connection = results(plan.connection);
  const report = results(plan.report);
  const failure = readFailure(report, plan.network);
  const given = failure ? undefined : askHub(connection);
  if (given) return adoptAll(new HubMember(connection, given, join(path, HUB_LOG), { report, plan }), taken);
  closeSync(connection);
  closeSync(report);
  if (taken && STILL_ENDING.includes(failure?.errno ?? 0) && Date.now() < until) {
    await sleep(10);
    return startHub(engine, needs, directory, path, until);
  }
  const doing = failure?.doing ?? 'start their hub';
  throw tsrunError('ERR_TSRUN_HUB', { doing }, failure?.words ?? 'it ended at once');
}

/** @throws ERR_TSRUN_HUB when the uplink cannot be started */
function adoptAll(member: HubMember, survivors: Survivors | undefined): HubMember {
  try {
    for (const survivor of survivors?.containers ?? []) adopt(member.connection, survivor);
    return member;
  } catch (error) {
    const words = error instanceof SyscallFailure ? member.uplinkFailure() : undefined;
    member[Symbol.dispose]();
    throw tsrunError('ERR_TSRUN_HUB', { doing: 'take over from a hub that was killed' }, words ?? error);
  }
}

/** The next record of the hub's report: a failure of `program`; undefined for one of success, and at the end of the file. */
function readFailure(
  report: number,
  program: EncodedProgram,
): { doing: string; words: string; errno: number } | undefined {
  const record = Buffer.alloc(FAILURE_RECORD_SIZE);
  const length = readSync(report, record);
  const errno = record.readInt32LE(4);
  if (length < FAILURE_RECORD_SIZE || errno === 0) return undefined;
  const step = program.stepOf[record.readUInt32LE(0)];
  if (!step)
    return { doing: 'run the hub’s program', words: `${errnoText(errno)} (${errnoName(errno)})`, errno };
  return { doing: step.why, words: systemWords(step, errno), errno };
}
