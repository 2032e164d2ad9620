/**
 * Being a member of the hub of the user's bridge networks: of the one that runs, or of one that is started. One command at a time starts
 * one; a connection to a hub that ends at this very moment is none, and starts another.
 */
import { closeSync, mkdirSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { tsrunError } from '../errors.ts';
import type { HostNetwork } from '../network/host-network.ts';
import type { UplinkOptions } from '../network/hub-program.ts';
import { hello } from '../network/hub-protocol.ts';
import { probeOutward } from '../network/outward/probe.ts';
import { awaitExecve, enter, runEntry } from '../rootless/enter.ts';
import { rememberHolder } from '../rootless/holder.ts';
import { tryLock, waitForLock } from '../store/lock.ts';
import { hubDirectory } from '../store/paths.ts';
import { call, op } from '../sys/calls.ts';
import { AF_UNIX, SCM_RIGHTS, SOCK_CLOEXEC, SOCK_SEQPACKET, SOL_SOCKET } from '../sys/constants.ts';
import { type EncodedProgram, encodeProgram } from '../sys/encode.ts';
import { errnoName, errnoText } from '../sys/errno.ts';
import { FAILURE_RECORD_SIZE } from '../sys/format.ts';
import { startTimeOf } from '../sys/process.ts';
import { nativeRunner, SyscallFailure, systemWords } from '../sys/run.ts';
import { type Memory, Slots } from '../sys/step.ts';
import { HUB_LOG, type HubPlan, hubAddress, planHub } from './launch-hub.ts';
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
    return startHub(engine, needs, directory, path);
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

const MSG_NOSIGNAL = 0x4000;
const MSG_CMSG_CLOEXEC = 0x40000000;
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
  const outward = probeOutward(engine.rootless(), join(engine.paths.runtime, 'takes-connections'));
  return { path: helper, openFiles: host.openFiles, directory, outward: outward === undefined };
}

function startHub(engine: Engine, needs: HubNeeds, directory: number, path: string): HubMember {
  const uplink = uplinkOptions(engine, needs, path);
  const { plan, results } = enter(engine.rootless(), (rootless) => {
    const plan = planHub({ rootless, directory, ipv6: needs.host.hasIpv6, uplink });
    const encoded = encodeProgram(plan);
    const results = runEntry(plan, encoded);
    awaitExecve(plan, encoded, results);
    return { plan, results };
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
  if (given) return new HubMember(connection, given, join(path, HUB_LOG), { report, plan });
  closeSync(connection);
  closeSync(report);
  const doing = failure?.doing ?? 'start their hub';
  throw tsrunError('ERR_TSRUN_HUB', { doing }, failure?.words ?? 'it ended at once');
}

/** The next record of the hub's report: a failure of `program`; undefined for one of success, and at the end of the file. */
function readFailure(report: number, program: EncodedProgram): { doing: string; words: string } | undefined {
  const record = Buffer.alloc(FAILURE_RECORD_SIZE);
  const length = readSync(report, record);
  const errno = record.readInt32LE(4);
  if (length < FAILURE_RECORD_SIZE || errno === 0) return undefined;
  const step = program.stepOf[record.readUInt32LE(0)];
  if (!step) return { doing: 'run the hub’s program', words: `${errnoText(errno)} (${errnoName(errno)})` };
  return { doing: step.why, words: systemWords(step, errno) };
}
