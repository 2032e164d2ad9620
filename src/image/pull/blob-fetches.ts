/**
 * The blobs of one pull: each is fetched once, a few at a time, in the order in which the layers will be unpacked.
 *
 * Fetching never waits for unpacking, so that a slow disk does not hold up the network, nor the other way round; both meet at the
 * partial file, which the unpacker reads behind the download.
 */
import { digestAlgorithm } from '../../spec/digest.ts';
import type { Descriptor, Digest } from '../../spec/image.ts';
import type { BlobStore } from '../../store/blobs.ts';
import type { GrowingFile } from '../../store/growing-file.ts';
import { Digester } from '../../store/hash.ts';
import type { PartialBlob } from '../../store/partial-blob.ts';
import { Gate } from '../gate.ts';
import type { PullListener } from './events.ts';
import type { ImageSource } from './image-source.ts';

/** A blob that can be read, though it may not be complete yet. */
export interface OpenedBlob {
  file: GrowingFile;
  /** Resolves when the blob is complete and verified. */
  done: Promise<void>;
  isDone(): boolean;
  /** Some of its bytes were there before, and may have suffered. */
  isOld: boolean;
}

export interface BlobFetchContext {
  blobs: BlobStore;
  source: ImageSource;
  emit: PullListener;
  signal?: AbortSignal | undefined;
}

export class BlobFetches {
  /** Aborted by whoever stops all of it, or by stop(). */
  readonly signal: AbortSignal;
  readonly #context: BlobFetchContext;
  readonly #stop = new AbortController();
  readonly #gate: Gate;
  #keepsParts = true;
  readonly #opened = new Map<Digest, Promise<OpenedBlob>>();
  readonly #running = new Set<Promise<void>>();

  constructor(context: BlobFetchContext) {
    this.#context = context;
    const own = this.#stop.signal;
    this.signal = context.signal === undefined ? own : AbortSignal.any([own, context.signal]);
    this.#gate = new Gate(context.source.parallel);
  }

  /** The blob, fetched if need be; the same one for the same digest. Resolves when it can be read. */
  open(descriptor: Descriptor): Promise<OpenedBlob> {
    let opened = this.#opened.get(descriptor.digest);
    if (opened === undefined) {
      opened = this.#start(descriptor);
      opened.catch(() => {}); // whoever needs it awaits it; until then its failure is not unhandled
      this.#opened.set(descriptor.digest, opened);
    }
    return opened;
  }

  /** Fetches a blob from its beginning, after its bytes turned out to be wrong. */
  restart(descriptor: Descriptor): Promise<OpenedBlob> {
    this.#context.blobs.remove(descriptor.digest);
    this.#opened.delete(descriptor.digest);
    return this.open(descriptor);
  }

  /** Whether open() was called for a blob. */
  has({ digest }: Descriptor): boolean {
    return this.#opened.has(digest);
  }

  /** Fetches nothing more. What came of a blob is kept for the next pull; not so that of an image which cannot be used at all. */
  stop(reason: unknown, keepsParts = true): void {
    this.#keepsParts = keepsParts;
    this.#stop.abort(reason);
  }

  /** Waits until nothing is being fetched any more, however it ended. */
  async settled(): Promise<void> {
    await Promise.allSettled([...this.#opened.values()]);
    await Promise.allSettled([...this.#running]);
  }

  async #start(descriptor: Descriptor): Promise<OpenedBlob> {
    const { blobs, emit } = this.#context;
    const { signal } = this;
    await this.#gate.enter();
    let partial: PartialBlob | undefined;
    try {
      const onWait = (): void => emit({ type: 'layer', digest: descriptor.digest, status: 'shared' });
      const what = `layer ${descriptor.digest}`;
      partial = await blobs.openPartial(descriptor, { what, signal, onWait });
    } finally {
      if (partial === undefined) this.#gate.leave();
    }
    if (partial === undefined) {
      return {
        file: blobs.file(descriptor.digest),
        done: Promise.resolve(),
        isDone: () => true,
        isOld: true,
      };
    }
    return this.#download(descriptor, partial);
  }

  #download(descriptor: Descriptor, partial: PartialBlob): OpenedBlob {
    let isDone = false;
    const done = this.#fill(descriptor, partial)
      .then(() => {
        isDone = true;
      })
      .finally(() => this.#gate.leave());
    done.catch(() => {}); // as in open()
    this.#running.add(done);
    return { file: partial.file, done, isDone: () => isDone, isOld: partial.isResumed };
  }

  async #fill(descriptor: Descriptor, partial: PartialBlob): Promise<void> {
    const { source, emit } = this.#context;
    const { signal } = this;
    const { digest, size: total } = descriptor;
    try {
      emit({ type: 'layer', digest, status: 'downloading', current: partial.received, total });
      await source.fill(descriptor, partial, {
        signal,
        onProgress: (current) => emit({ type: 'layer', digest, status: 'downloading', current, total }),
        onRetry: (failure, delayMs) => emit({ type: 'retry', digest, problem: failure.message, delayMs }),
      });
      emit({ type: 'layer', digest, status: 'verifying' });
      await partial.complete();
      emit({ type: 'layer', digest, status: 'downloaded' });
    } catch (error) {
      if (this.#keepsParts || partial.isResumed) partial.close(error);
      else partial.discard();
      throw error;
    }
  }
}

/** Whether the bytes of a complete blob are still those of its digest. */
export async function isBlobIntact(blobs: BlobStore, digest: Digest): Promise<boolean> {
  if (!blobs.has(digest)) return false;
  const hash = new Digester(digestAlgorithm(digest));
  for await (const chunk of blobs.read(digest) as AsyncIterable<Buffer>) hash.update(chunk);
  return hash.digest() === digest;
}
