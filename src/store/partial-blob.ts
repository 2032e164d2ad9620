/**
 * A blob on its way into the store.
 *
 *   blobs/sha256/<hex>.partial ── append… ──► complete(): size and digest verified, fsync, rename ──► blobs/sha256/<hex>
 *            ▲      │
 *            │      └─ close() or death at any instant: the bytes stay, the next open() goes on behind them
 *            └─ discard(): wrong bytes are removed
 *
 * The file is its own lock, so that two pulls of one blob share one download: the second waits in open(), and then finds the
 * blob complete. Bytes of an earlier process are hashed again, not believed. Others may read the file while it grows.
 */
import {
  closeSync,
  existsSync,
  fstatSync,
  fsync,
  ftruncateSync,
  openSync,
  read,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { tsrunError } from '../errors.ts';
import { digestAlgorithm } from '../spec/digest.ts';
import type { Descriptor, Digest } from '../spec/image.ts';
import { tellOfBuffer } from '../sys/collect-buffers.ts';
import { GrowingFile } from './growing-file.ts';
import { Digester } from './hash.ts';
import { type FileLock, waitForLock } from './lock.ts';
import { blobPath, partialBlobPath, type StorePaths } from './paths.ts';

const fsyncAsync = promisify(fsync);
const readAsync = promisify(read);
const REHASH_BYTES = 1 << 20;

/** Which blob it is to be. */
export type BlobSize = Pick<Descriptor, 'digest' | 'size'>;

export interface OpenPartialOptions {
  /** Names the blob in messages: "layer sha256:…". */
  what: string;
  signal?: AbortSignal | undefined;
  /** Another process is downloading the same blob, and is waited for. */
  onWait?: () => void;
}

export class PartialBlob {
  readonly digest: Digest;
  /** bytes, as the descriptor says */
  readonly expectedSize: number;
  /** True when some of the bytes are of an earlier attempt of another process. */
  readonly isResumed: boolean;
  /** The bytes so far, for those who read along. */
  readonly file: GrowingFile;
  readonly #paths: StorePaths;
  readonly #what: string;
  readonly #lock: FileLock;
  readonly #hash: Digester;
  #received: number;
  #isVerified = false;

  private constructor(paths: StorePaths, descriptor: BlobSize, what: string, lock: FileLock, start: Start) {
    this.#paths = paths;
    this.#what = what;
    this.#lock = lock;
    this.#hash = start.hash;
    this.#received = start.received;
    this.digest = descriptor.digest;
    this.expectedSize = descriptor.size;
    this.isResumed = start.received > 0;
    this.file = new GrowingFile(
      [lock.path, blobPath(paths, descriptor.digest)],
      start.received,
      descriptor.size,
    );
  }

  /** Opens the partial file of a blob, going on behind what is there; undefined when the blob turns out to be complete. */
  static async open(
    paths: StorePaths,
    descriptor: BlobSize,
    options: OpenPartialOptions,
  ): Promise<PartialBlob | undefined> {
    if (existsSync(blobPath(paths, descriptor.digest))) return undefined;
    const lock = await waitForLock(partialBlobPath(paths, descriptor.digest), options);
    try {
      if (existsSync(blobPath(paths, descriptor.digest))) {
        lock.releaseAndRemove();
        return undefined;
      }
      const start = await rehash(lock.fd, descriptor, options.signal);
      return new PartialBlob(paths, descriptor, options.what, lock, start);
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  /** bytes so far */
  get received(): number {
    return this.#received;
  }

  /** Adds bytes. Throws ERR_TSRUN_MISMATCH as soon as there are too many, ERR_TSRUN_STORE when they cannot be written. */
  append(chunk: Uint8Array): void {
    if (this.#received + chunk.length > this.expectedSize) {
      this.discard();
      throw this.#mismatch('size', String(this.expectedSize), `${this.#received + chunk.length} or more`);
    }
    try {
      for (let done = 0; done < chunk.length; ) {
        done += writeSync(this.#lock.fd, chunk, done, chunk.length - done, this.#received + done);
      }
    } catch (error) {
      throw writeError(this.#what, this.#lock.path, error);
    }
    this.#hash.update(chunk);
    this.#received += chunk.length;
    this.file.grow(chunk.length);
    tellOfBuffer(chunk.length);
  }

  /** That these are the bytes, and all of them. Throws ERR_TSRUN_MISMATCH (the bytes are removed). */
  verify(): void {
    if (this.#isVerified) return;
    if (this.#received !== this.expectedSize) {
      this.discard();
      throw this.#mismatch('size', String(this.expectedSize), String(this.#received));
    }
    const got = this.#hash.digest();
    if (got !== this.digest) {
      this.discard();
      throw this.#mismatch('digest', this.digest, got);
    }
    this.#isVerified = true;
  }

  /** The text of a verified small blob, which has no name yet. */
  readText(): string {
    this.verify();
    return readFileSync(this.#lock.path, 'utf8');
  }

  /** Verifies the blob and gives it its name. Throws ERR_TSRUN_MISMATCH (the bytes are removed) or ERR_TSRUN_STORE. */
  async complete(): Promise<void> {
    this.verify();
    const final = blobPath(this.#paths, this.digest);
    try {
      await fsyncAsync(this.#lock.fd);
      renameSync(this.#lock.path, final);
      await syncDirectoryApart(dirname(final));
    } catch (error) {
      throw writeError(this.#what, final, error);
    }
    this.file.end();
    this.#lock.release();
  }

  /** Removes the bytes: they are wrong. */
  discard(): void {
    this.file.fail(new Error('the bytes of this blob were discarded'));
    this.#lock.releaseAndRemove();
  }

  /** Lets go of the blob, keeping the bytes for a later attempt. */
  close(reason: unknown): void {
    this.file.fail(reason);
    this.#lock.release();
  }

  #mismatch(property: 'size' | 'digest', expected: string, got: string): Error {
    return tsrunError('ERR_TSRUN_MISMATCH', { what: this.#what, property, expected, got });
  }
}

/** Makes the entries of a directory durable, in another thread. */
async function syncDirectoryApart(path: string): Promise<void> {
  const fd = openSync(path, 'r');
  try {
    await fsyncAsync(fd);
  } finally {
    closeSync(fd);
  }
}

interface Start {
  hash: Digester;
  received: number;
}

/** Hashes the bytes that an earlier attempt left. More than the blob can have are worth nothing. */
async function rehash(
  fd: number,
  { digest, size: expectedSize }: BlobSize,
  signal: AbortSignal | undefined,
): Promise<Start> {
  const hash = new Digester(digestAlgorithm(digest));
  const { size } = fstatSync(fd);
  if (size > expectedSize) {
    ftruncateSync(fd, 0);
    return { hash, received: 0 };
  }
  const buffer = Buffer.allocUnsafe(Math.min(REHASH_BYTES, size));
  let received = 0;
  while (received < size) {
    signal?.throwIfAborted();
    const { bytesRead } = await readAsync(fd, buffer, 0, buffer.length, received);
    if (bytesRead === 0) break;
    hash.update(buffer.subarray(0, bytesRead));
    received += bytesRead;
  }
  return { hash, received };
}

function writeError(what: string, path: string, cause: unknown): Error {
  const isFull = ['ENOSPC', 'EDQUOT'].includes((cause as NodeJS.ErrnoException).code ?? '');
  const hint = isFull
    ? `make room (df -h ${dirname(path)}, or df -i) and repeat the command; it goes on where it stopped`
    : undefined;
  return tsrunError('ERR_TSRUN_STORE', { doing: `write ${what} to ${path}`, hint }, cause);
}
