/** A conversation with a supervisor, over the socketpair of a start or its attach socket. */
import { Socket } from 'node:net';
import { parseMessage, type SupervisorMessage } from './messages.ts';
import { FrameDecoder } from './protocol.ts';

export class SupervisorClient {
  readonly socket: Socket;
  readonly #queue: SupervisorMessage[] = [];
  #wake: (() => void) | undefined;
  #ended = false;
  #error: Error | undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    const decoder = new FrameDecoder();
    socket.on('data', (chunk: Buffer) => {
      for (const frame of decoder.push(chunk)) {
        const message = parseMessage(frame);
        if (message) this.#queue.push(message);
      }
      this.#notify();
    });
    socket.on('error', (error) => {
      this.#error = error;
    });
    socket.on('close', () => {
      this.#ended = true;
      this.#notify();
    });
  }

  /** Over a descriptor that this process holds; it is closed with the client. */
  static fromFd(fd: number): SupervisorClient {
    return new SupervisorClient(new Socket({ fd, readable: true, writable: true }));
  }

  /** Connects to an attach socket. Rejects with the system's error (ENOENT, ECONNREFUSED: nobody listens). */
  static async connect(path: string): Promise<SupervisorClient> {
    const socket = new Socket();
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.connect({ path }, () => {
        socket.removeListener('error', reject);
        resolve();
      });
    });
    return new SupervisorClient(socket);
  }

  /**
   * The next message; undefined when the supervisor has closed the socket. Messages that are not fetched hold the socket up, so
   * that a slow reader slows the container instead of filling memory.
   */
  async next(): Promise<SupervisorMessage | undefined> {
    while (this.#queue.length === 0 && !this.#ended) {
      this.socket.resume();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.socket.pause();
    const message = this.#queue.shift();
    if (message === undefined && this.#error && !isHangUp(this.#error)) throw this.#error;
    return message;
  }

  /** Sends frames; resolves when the kernel has taken them. A supervisor that is gone is no error: next() says so. */
  async send(frames: Buffer): Promise<void> {
    if (this.socket.destroyed) return;
    await new Promise<void>((resolve) => {
      this.socket.write(frames, () => resolve());
    });
  }

  close(): void {
    this.socket.destroy();
  }

  #notify(): void {
    this.#wake?.();
    this.#wake = undefined;
  }
}

const isHangUp = (error: Error): boolean =>
  ['ECONNRESET', 'EPIPE'].includes((error as NodeJS.ErrnoException).code ?? '');
