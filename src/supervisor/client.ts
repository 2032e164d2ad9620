/**
 * A conversation with a supervisor, over the socketpair of a start or its attach socket.
 *
 * The socket is read and written by Node's file system threads, and stays a blocking one. A net.Socket would do the same without
 * threads, but loading node:net takes 4 ms of every start; and it is destroyed as a whole at the first write that fails, so that what
 * a supervisor said before it closed, EXIT, would go unheard.
 *
 * Making those threads takes 2 ms as well, and a command may have ended by then. So the first words after a start are read by this thread
 * itself, if it has nothing else to do: for no longer than FIRST_WORDS_MS, and only until a signal comes.
 */
import { closeSync, read, readSync, write } from 'node:fs';
import { call, callNow } from '../sys/calls.ts';
import { AF_UNIX, SHUT_RDWR, SO_RCVTIMEO, SOCK_CLOEXEC, SOCK_STREAM, SOL_SOCKET } from '../sys/constants.ts';
import { nativeRunner, SyscallFailure } from '../sys/run.ts';
import { type Argument, type Memory, Slots, type Step } from '../sys/step.ts';
import { parseMessage, type SupervisorMessage } from './messages.ts';
import { FrameDecoder } from './protocol.ts';

const CHUNK_SIZE = 65536;

const FIRST_WORDS_MS = 30;
const TIMEVAL_SIZE = 16;

/** A read of the socket `fd` fails with EAGAIN when nothing has come for so long (socket(7)); 0 = it waits for ever. */
function setReadTimeout(why: string, fd: Argument, ms: number): Step {
  const timeval = {
    fields: [
      { width: 8, value: 0 },
      { width: 8, value: ms * 1000 },
    ],
    say: `${ms} ms`,
  } as const;
  return call('user', why, 'setsockopt', [fd, SOL_SOCKET, SO_RCVTIMEO, timeval, TIMEVAL_SIZE]);
}

/** What makes the socket `fd` one for {@link SupervisorClient.afterStart}. */
export const forFirstWords = (fd: Argument): Step =>
  setReadTimeout('its first words are waited for without a thread', fd, FIRST_WORDS_MS);

export class SupervisorClient {
  readonly #fd: number;
  readonly #decoder = new FrameDecoder();
  readonly #queue: SupervisorMessage[] = [];
  /** Until when, as Date.now() counts, reads are this thread's own; undefined = they are another's. */
  #firstWordsUntil: number | undefined;
  #ended = false;
  #closing = false;
  /** Calls that a thread is in. */
  #calls = 0;
  #sent: Promise<void> = Promise.resolve();

  private constructor(fd: number) {
    this.#fd = fd;
    process.once('exit', this.#closeAtExit);
  }

  /** Over a blocking socket that this process holds; it is closed with the client. */
  static fromFd(fd: number): SupervisorClient {
    return new SupervisorClient(fd);
  }

  /**
   * The same, of a start with {@link forFirstWords}.
   * @param isBusy this process has other things to do meanwhile, such as to read the stdin of the command
   */
  static afterStart(fd: number, isBusy: boolean): SupervisorClient {
    const client = new SupervisorClient(fd);
    client.#firstWordsUntil = isBusy ? 0 : Date.now() + FIRST_WORDS_MS;
    return client;
  }

  /** Connects to an attach socket. @throws SyscallFailure (ENOENT, ECONNREFUSED: nobody listens) */
  static connect(path: string): SupervisorClient {
    return SupervisorClient.fromFd(connectTo(path));
  }

  /**
   * The next message; undefined when the supervisor has closed the socket. Nothing is read before it is asked for, so that a slow reader
   * slows the container instead of filling memory.
   */
  async next(): Promise<SupervisorMessage | undefined> {
    while (this.#queue.length === 0 && !this.#ended) await this.#receive();
    return this.#queue.shift();
  }

  /** Sends frames; resolves when the kernel has taken them. A supervisor that is gone is no error: next() says so. */
  async send(frames: Buffer): Promise<void> {
    this.#sent = this.#sent.then(async () => {
      for (let at = 0; at < frames.length && !this.#closing; ) {
        const count = await this.#write(frames, at);
        if (count === undefined) return;
        at += count;
      }
    });
    await this.#sent;
  }

  close(): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#ended = true;
    process.removeListener('exit', this.#closeAtExit);
    if (this.#calls === 0) closeSync(this.#fd);
    // The threads come back at once, and the last of them closes it.
    else callNow('end the conversation', 'shutdown', [this.#fd, SHUT_RDWR]);
  }

  /** Node waits for its threads when it exits: for ever, if one of them waits for a container. */
  readonly #closeAtExit = (): void => this.close();

  async #receive(): Promise<void> {
    const chunk = Buffer.allocUnsafe(CHUNK_SIZE);
    const { error, count } =
      this.#readFirstWords(chunk) ??
      (await this.#inThread((done) => read(this.#fd, chunk, 0, CHUNK_SIZE, null, done)));
    if (this.#closing) return;
    if (error && !isHangUp(error)) throw error;
    if (error || count === 0) this.#ended = true;
    for (const frame of this.#decoder.push(chunk.subarray(0, count))) {
      const message = parseMessage(frame);
      if (message) this.#queue.push(message);
    }
  }

  /** Undefined when the time for it is over. */
  #readFirstWords(chunk: Buffer): { error: Error | null; count: number } | undefined {
    if (this.#firstWordsUntil === undefined) return undefined;
    if (Date.now() < this.#firstWordsUntil) {
      try {
        return { error: null, count: readSync(this.#fd, chunk) };
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        // EINTR: a signal came, which is heard when this thread waits for nothing.
        if (code !== 'EAGAIN' && code !== 'EINTR') return { error: error as Error, count: 0 };
      }
    }
    this.#firstWordsUntil = undefined;
    const steps = [setReadTimeout('wait for it as long as it takes', this.#fd, 0)];
    nativeRunner.run({ slots: new Slots(), steps });
    return undefined;
  }

  /** Undefined when it cannot be written to any more; whatever the reason, the reader hears of the end. */
  async #write(bytes: Buffer, at: number): Promise<number | undefined> {
    const { error, count } = await this.#inThread((done) =>
      write(this.#fd, bytes, at, bytes.length - at, null, done),
    );
    return error ? undefined : count;
  }

  async #inThread(start: (done: (error: Error | null, count: number) => void) => void) {
    this.#calls++;
    const result = await new Promise<{ error: Error | null; count: number }>((resolve) => {
      start((error, count) => resolve({ error, count: error ? 0 : count }));
    });
    this.#calls--;
    if (this.#closing && this.#calls === 0) closeSync(this.#fd);
    return result;
  }
}

const isHangUp = (error: Error): boolean =>
  ['ECONNRESET', 'EPIPE'].includes((error as NodeJS.ErrnoException).code ?? '');

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
