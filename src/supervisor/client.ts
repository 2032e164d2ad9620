/**
 * A conversation with a supervisor, over the socketpair of a start or its attach socket.
 *
 * Each direction has a socket object of its own, on a descriptor of its own: Node destroys a socket at the first write that fails, and
 * with it whatever could still be read. A supervisor that has said EXIT and closed, while we were sending it more input, would go unheard.
 */
import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import { call } from '../sys/calls.ts';
import { AF_UNIX, SOCK_CLOEXEC, SOCK_STREAM } from '../sys/constants.ts';
import { nativeRunner, SyscallFailure } from '../sys/run.ts';
import { type Memory, Slots } from '../sys/step.ts';
import { parseMessage, type SupervisorMessage } from './messages.ts';
import { FrameDecoder } from './protocol.ts';

export class SupervisorClient {
  readonly #reader: Socket;
  readonly #writer: Socket;
  readonly #queue: SupervisorMessage[] = [];
  #wake: (() => void) | undefined;
  #ended = false;
  #error: Error | undefined;

  private constructor(reader: Socket, writer: Socket) {
    this.#reader = reader;
    this.#writer = writer;
    // Whatever keeps it from being written to, the reader hears of the end.
    writer.on('error', () => undefined);
    const decoder = new FrameDecoder();
    reader.on('data', (chunk: Buffer) => {
      for (const frame of decoder.push(chunk)) {
        const message = parseMessage(frame);
        if (message) this.#queue.push(message);
      }
      this.#notify();
    });
    reader.on('error', (error) => {
      this.#error = error;
    });
    reader.on('close', () => {
      this.#ended = true;
      this.#notify();
    });
  }

  /** Over a descriptor that this process holds; it is closed with the client. */
  static fromFd(fd: number): SupervisorClient {
    return new SupervisorClient(
      new Socket({ fd, readable: true, writable: false }),
      new Socket({ fd: duplicate(fd), readable: false, writable: true }),
    );
  }

  /** Connects to an attach socket. @throws SyscallFailure (ENOENT, ECONNREFUSED: nobody listens) */
  static connect(path: string): SupervisorClient {
    return SupervisorClient.fromFd(connectTo(path));
  }

  /**
   * The next message; undefined when the supervisor has closed the socket. Messages that are not fetched hold the socket up, so
   * that a slow reader slows the container instead of filling memory.
   */
  async next(): Promise<SupervisorMessage | undefined> {
    while (this.#queue.length === 0 && !this.#ended) {
      this.#reader.resume();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#reader.pause();
    const message = this.#queue.shift();
    if (message === undefined && this.#error && !isHangUp(this.#error)) throw this.#error;
    return message;
  }

  /** Sends frames; resolves when the kernel has taken them. A supervisor that is gone is no error: next() says so. */
  async send(frames: Buffer): Promise<void> {
    if (this.#writer.destroyed) return;
    await new Promise<void>((resolve) => {
      this.#writer.write(frames, () => resolve());
    });
  }

  close(): void {
    this.#reader.destroy();
    this.#writer.destroy();
  }

  #notify(): void {
    this.#wake?.();
    this.#wake = undefined;
  }
}

const isHangUp = (error: Error): boolean =>
  ['ECONNRESET', 'EPIPE'].includes((error as NodeJS.ErrnoException).code ?? '');

const F_DUPFD_CLOEXEC = 1030;
const FIRST_FREE = 3;

function duplicate(fd: number): number {
  const slots = new Slots();
  const result = slots.new('duplicate');
  const args = [fd, F_DUPFD_CLOEXEC, FIRST_FREE];
  const steps = [call('user', 'a descriptor to write to it', 'fcntl', args, { result })];
  return nativeRunner.run({ slots, steps })(result);
}

function connectTo(path: string): number {
  const slots = new Slots();
  const fd = slots.new('socket');
  const bytes = Buffer.from(`${path}\0`);
  const address: Memory = { fields: [{ width: 2, value: AF_UNIX }, { bytes }], say: path };
  const steps = [
    call('user', 'a socket', 'socket', [AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0], { result: fd }),
    call('user', 'talk to the supervisor', 'connect', [fd, address, 2 + bytes.length]),
  ];
  try {
    return nativeRunner.run({ slots, steps })(fd);
  } catch (error) {
    if (error instanceof SyscallFailure && error.results(fd) >= 0) closeSync(error.results(fd));
    throw error;
  }
}
