/**
 * The user's stdout and stderr, for a container's output.
 *
 * A pipe may be read by somebody slow: it is written to without blocking this process, which has signals to pass on meanwhile; the caller
 * waits, so that the supervisor and in the end the container wait as well. Files and terminals are written to directly, which spares
 * making a stream.
 */
import { fstatSync, writeSync } from 'node:fs';

/** What became of a write. `closed`: nobody reads any more (EPIPE), also at every later write. */
export type Written = 'taken' | 'closed';

export class OutputStream {
  readonly #fd: 1 | 2;
  #stream: NodeJS.WriteStream | undefined;
  #isDirect: boolean | undefined;
  #closed = false;

  constructor(fd: 1 | 2) {
    this.#fd = fd;
  }

  /** Resolves when the system has taken all of it. Rejects with the system's error, such as ENOSPC. */
  async write(bytes: Uint8Array): Promise<Written> {
    if (this.#closed) return 'closed';
    try {
      if (!this.#writeDirectly(bytes)) await this.#writeToStream(bytes);
      return 'taken';
    } catch (error) {
      if (!isClosed(error)) throw error;
      this.#closed = true;
      return 'closed';
    }
  }

  /** False if it is a pipe or socket, or did not take everything at once. */
  #writeDirectly(bytes: Uint8Array): boolean {
    this.#isDirect ??= !isPipe(this.#fd);
    if (!this.#isDirect) return false;
    for (let at = 0; at < bytes.length; ) at += writeWaiting(this.#fd, bytes.subarray(at));
    return true;
  }

  #writeToStream(bytes: Uint8Array): Promise<void> {
    if (!this.#stream) {
      this.#stream = this.#fd === 1 ? process.stdout : process.stderr;
      this.#stream.on('error', () => {}); // each write tells of its own
    }
    const stream = this.#stream;
    return new Promise((resolve, reject) => {
      stream.write(bytes, (error) => (error ? reject(error) : resolve()));
    });
  }
}

function isPipe(fd: number): boolean {
  const stat = fstatSync(fd);
  return stat.isFIFO() || stat.isSocket();
}

/** write(2), again while somebody else has made the file description non-blocking and it is full. */
function writeWaiting(fd: number, bytes: Uint8Array): number {
  for (;;) {
    try {
      return writeSync(fd, bytes);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
    }
  }
}

/** Nobody reads the pipe; the terminal was hung up; the descriptor was closed from the beginning (`>&-`). */
const isClosed = (error: unknown): boolean =>
  ['EPIPE', 'EIO', 'EBADF', 'ERR_STREAM_DESTROYED', 'ECONNRESET'].includes(
    (error as NodeJS.ErrnoException).code ?? '',
  );
