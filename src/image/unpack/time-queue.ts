/**
 * Times. Whole seconds go through Node, exactly; fractions would pass through a double there and lose nanoseconds, so they
 * are collected and set by utimensat(2), many in one native call.
 */
import type { UnpackHost } from './host.ts';
import { type ByteString, toFsPath } from './tar-entry.ts';

export interface Times {
  atime: bigint;
  mtime: bigint;
}

const SECOND = 1_000_000_000n;
const BATCH = 256;

/** Node takes times before 1970 for "now". */
const isWhole = ({ atime, mtime }: Times): boolean =>
  mtime % SECOND === 0n && mtime >= 0n && atime % SECOND === 0n && atime >= 0n;

export class TimeQueue {
  readonly #host: UnpackHost;
  readonly #queue = new Map<ByteString, Times>();

  constructor(host: UnpackHost) {
    this.#host = host;
  }

  /** False when it needs nanoseconds: then `add` it. */
  setByFd(fd: number, times: Times): boolean {
    if (!isWhole(times)) return false;
    this.#host.files.futimesSync(fd, Number(times.atime / SECOND), Number(times.mtime / SECOND));
    return true;
  }

  add(path: ByteString, times: Times): void {
    if (isWhole(times)) {
      this.#queue.delete(path);
      this.#host.files.lutimesSync(
        toFsPath(path),
        Number(times.atime / SECOND),
        Number(times.mtime / SECOND),
      );
      return;
    }
    this.#queue.set(path, times);
    if (this.#queue.size >= BATCH) this.flush();
  }

  /** Before anything is removed or renamed, and at the end. */
  flush(): void {
    if (this.#queue.size === 0) return;
    const times = [...this.#queue].map(([path, { atime, mtime }]) => ({ path, atime, mtime }));
    this.#queue.clear();
    this.#host.setTimes(times);
  }
}
