/**
 * A file that one part of the program writes while another one, perhaps in another process, reads it.
 *
 * This is how a layer is unpacked while it arrives, without a second copy in memory: the download never waits for the unpacker,
 * and the unpacker waits for nothing but bytes.
 */

/** A reader is told of so many bytes at once: each message costs two processes something. */
const STEP_BYTES = 1 << 20;

export class GrowingFile {
  /** The names that it has one after the other: who opens it tries all of them, the first one last again. */
  readonly paths: readonly string[];
  #available: number;
  /** All that there will be, if that is known. */
  readonly size: number | undefined;
  #ended = false;
  #failure: { reason: unknown } | undefined;
  #change = Promise.withResolvers<void>();

  /** @param available bytes that are there @param size all that there will be, if that is known */
  constructor(paths: readonly string[], available: number, size?: number) {
    this.paths = paths;
    this.#available = available;
    this.size = size;
  }

  /** A file that grows no more. */
  static whole(path: string, size: number): GrowingFile {
    const file = new GrowingFile([path], size);
    file.end();
    return file;
  }

  /** So many bytes have been added, and are not changed any more. */
  grow(bytes: number): void {
    this.#available += bytes;
    this.#notify();
  }

  /** There will be no more bytes. */
  end(): void {
    this.#ended = true;
    this.#notify();
  }

  /** There will be no more bytes, and those read are not to be used. */
  fail(reason: unknown): void {
    if (this.#ended) return;
    this.#failure ??= { reason };
    this.#notify();
  }

  /** fail() was called. */
  get hasFailed(): boolean {
    return this.#failure !== undefined;
  }

  #notify(): void {
    this.#change.resolve();
    this.#change = Promise.withResolvers<void>();
  }

  /** How many bytes there are, each time that it is noticeably more, and at the end; throws what fail() was given. */
  async *growth(): AsyncGenerator<number, void> {
    for (let told = 0; ; ) {
      if (this.#failure !== undefined) throw this.#failure.reason;
      const isLast = this.#ended || this.#available === this.size;
      if (this.#available - told >= STEP_BYTES || (isLast && told < this.#available)) {
        told = this.#available;
        yield told;
      } else if (this.#ended) {
        return;
      } else {
        await this.#change.promise;
      }
    }
  }
}
