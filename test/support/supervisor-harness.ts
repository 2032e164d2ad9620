/**
 * Drives the real supervisor (or $TSRUN_TEST_SUPERVISOR) with a start program that needs no namespaces: two pipes or a pty, and a clone that becomes
 * /bin/sh. Everything else (spec, descriptors, sockets, frames) is as tsrun does it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect } from 'vitest';
import { parseMessage, type SupervisorMessage } from '../../src/supervisor/messages.ts';
import { FrameDecoder } from '../../src/supervisor/protocol.ts';
import { encodeSpec, type SupervisorSpec } from '../../src/supervisor/spec.ts';
import { callNow } from '../../src/sys/calls.ts';
import { AF_UNIX, SOCK_CLOEXEC, SOCK_STREAM } from '../../src/sys/constants.ts';
import { encodeProgram } from '../../src/sys/encode.ts';
import { nativeDirectory } from '../../src/sys/native-directory.ts';
import { nativeRunner } from '../../src/sys/run.ts';
import { type Program, Slots } from '../../src/sys/step.ts';

export interface Exit {
  kind: string;
  value: number;
  op?: number;
  startedAt: string;
  finishedAt: string;
  logDroppedBytes: number;
  cleanup?: { op: number; errno: number };
  restartAt?: string;
}

/** A connection to the supervisor that remembers what it was told. */
export class Client {
  readonly socket: Socket;
  readonly messages: SupervisorMessage[] = [];
  #waiting: (() => void)[] = [];
  closed = false;

  constructor(socket: Socket) {
    this.socket = socket;
    sockets.push(socket);
    const decoder = new FrameDecoder();
    socket.on('data', (chunk) => {
      for (const frame of decoder.push(chunk)) {
        const message = parseMessage(frame);
        if (message) this.messages.push(message);
      }
      this.#wake();
    });
    socket.on('error', () => {}); // ECONNRESET: the supervisor had closed first
    socket.on('close', () => {
      this.closed = true;
      this.#wake();
    });
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  send(bytes: Uint8Array): void {
    this.socket.write(bytes);
  }

  /** Waits until `isSo`, and fails when the connection closes before. */
  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) {
      if (this.closed) throw new Error(`closed after ${JSON.stringify(this.messages)}`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  async message<T extends SupervisorMessage['type']>(type: T): Promise<SupervisorMessage & { type: T }> {
    const find = () => this.messages.find((m): m is SupervisorMessage & { type: T } => m.type === type);
    await this.until(() => find() !== undefined);
    return find() as SupervisorMessage & { type: T };
  }

  async end(): Promise<void> {
    while (!this.closed) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  output(type: 'stdout' | 'stderr'): Buffer {
    return Buffer.concat(this.messages.flatMap((m) => (m.type === type ? [m.bytes] : [])));
  }
}

export interface Running {
  directory: string;
  process: ChildProcess;
  first: Client;
  /** A later client, as `attach` is. */
  connect: () => Promise<Client>;
  exited: Promise<number | null>;
  exit: () => Exit;
  /** The content of a file in the container's directory. */
  file: (name: string) => string;
  /** log, log.1 … */
  log: (suffix?: string) => string;
}

const SANITIZERS_STATUS = 99;
const running: { process: ChildProcess; directory: string }[] = [];
const sockets: Socket[] = [];

/** Ends what a failed test left, and removes the directories. */
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const { process, directory } of running.splice(0)) {
    if (process.exitCode === null) process.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
    // It ends as its container does; no container of these tests ends so.
    expect(process.exitCode).not.toBe(SANITIZERS_STATUS);
    if (process.signalCode !== null) expect(process.signalCode).toBe('SIGKILL');
  }
});

/** A listening socket at `path`; a plain fd, because Node's own servers cannot be handed to a child. */
function listen(path: string): number {
  const fd = callNow('make a socket', 'socket', [AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0]);
  const address = Buffer.alloc(110);
  address.writeUInt16LE(AF_UNIX);
  address.write(path, 2);
  callNow('give it a name', 'bind', [fd, address, address.length]);
  callNow('listen', 'listen', [fd, 128]);
  return fd;
}

function socketPair(): [number, number] {
  const slots = new Slots();
  const [a, b] = [slots.new('a'), slots.new('b')];
  const pair = {
    fields: [
      { width: 4 as const, into: a },
      { width: 4 as const, into: b },
    ],
  };
  const args = [AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair];
  const why = 'a socket for the first client';
  const results = nativeRunner.run({
    slots,
    steps: [{ actor: 'user', why, op: { kind: 'syscall', name: 'socketpair', args } }],
  });
  return [results(a), results(b)];
}

export interface Options extends Omit<Partial<SupervisorSpec>, 'start' | 'cleanup'> {
  start: Program | Buffer;
  cleanup?: Program;
  /** Files that are in the container's directory already. */
  files?: Record<string, string>;
  /** Files may not grow beyond so many bytes (a multiple of 512): as a full disk. */
  fileLimit?: number;
  /** The first client is gone before the supervisor runs. */
  hungUp?: boolean;
}

/** Starts a supervisor on `options`, with a first client. */
export function supervise({ start, cleanup, hungUp, fileLimit, files = {}, ...rest }: Options): Running {
  const directory = mkdtempSync(join(tmpdir(), 'tsrun-supervisor-'));
  const file = (name: string): string => readFileSync(join(directory, name), 'utf8');
  for (const [name, content] of Object.entries(files)) writeFileSync(join(directory, name), content);
  const specPath = join(directory, 'spec');
  const encoded = Buffer.isBuffer(start) ? start : encodeProgram(start).image;
  const spec = {
    bootId: 'boot',
    ...rest,
    start: encoded,
    ...(cleanup && { cleanup: encodeProgram(cleanup).image }),
  };
  writeFileSync(specPath, encodeSpec(spec));
  const socketPath = join(directory, 'attach');
  const [ours, theirs] = socketPair();
  const fds = [openSync(specPath, 'r'), listen(socketPath), theirs, openSync(directory, 'r')];
  const first = new Client(new Socket({ fd: ours }));
  if (hungUp) first.socket.destroy();
  const executable = process.env.TSRUN_TEST_SUPERVISOR ?? join(nativeDirectory(), 'supervisor');
  const limited = ['sh', '-c', `ulimit -f ${(fileLimit ?? 0) / 512}; exec "$0"`, executable];
  const [command = '', ...args] = fileLimit ? limited : [executable];
  const child = spawn(command, args, {
    cwd: directory,
    env: {
      ...process.env,
      ASAN_OPTIONS: `detect_leaks=0:exitcode=${SANITIZERS_STATUS}`,
      UBSAN_OPTIONS: `exitcode=${SANITIZERS_STATUS}`,
    },
    stdio: ['ignore', 'ignore', 'inherit', ...fds],
  });
  fds.forEach(closeSync);
  running.push({ process: child, directory });
  return {
    directory,
    process: child,
    first,
    exited: new Promise((resolve) => child.once('exit', resolve)),
    connect: () =>
      new Promise((resolve, reject) => {
        const socket = connect(socketPath, () => resolve(new Client(socket)));
        socket.once('error', reject);
      }),
    exit: () => JSON.parse(file('exit.json')) as Exit,
    file,
    // It is made after state.json.
    log: (suffix = '') => (existsSync(join(directory, `log${suffix}`)) ? file(`log${suffix}`) : ''),
  };
}
