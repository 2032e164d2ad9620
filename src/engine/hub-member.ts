/** Being a member of the hub of the user's bridge networks: what it gives, and what keeps it alive. */
import { closeSync, readFileSync } from 'node:fs';
import { pollDescriptors, seconds } from '../network/helper-steps.ts';
import { call, op } from '../sys/calls.ts';
import { MSG_CMSG_CLOEXEC, SCM_RIGHTS, SOL_SOCKET } from '../sys/constants.ts';
import { nativeRunner, SyscallFailure } from '../sys/run.ts';
import { type Memory, Slots, type Step } from '../sys/step.ts';

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

const RIGHTS_SIZE = 24;

/** What the hub gives to a member: descriptors of its network namespace, and its pidfd. */
export interface Given {
  netns: number;
  pidfd: number;
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
