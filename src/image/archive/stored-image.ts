/** The parts of an image of the store, verified while they are read. */
import { tsrunError } from '../../errors.ts';
import { digestAlgorithm } from '../../spec/digest.ts';
import type { Descriptor, Digest } from '../../spec/image.ts';
import { sniffCompression } from '../../spec/media-types.ts';
import { BlobStore } from '../../store/blobs.ts';
import { fetchAgain } from '../../store/fetch-again.ts';
import { Digester } from '../../store/hash.ts';
import type { ImageRecord, LayerLink } from '../../store/image-record.ts';
import { LayerStore } from '../../store/layers.ts';
import type { StorePaths } from '../../store/paths.ts';
import { decompress } from '../unpack/decompress.ts';
import { NO_SIZE_LIMITS, SizeMeter } from '../unpack/limits.ts';

export class StoredImage {
  readonly record: ImageRecord;
  readonly #blobs: BlobStore;
  readonly #layers: LayerStore;

  constructor(paths: StorePaths, record: ImageRecord) {
    this.record = record;
    this.#blobs = new BlobStore(paths);
    this.#layers = new LayerStore(paths);
  }

  /** A document: the configuration or the manifest. Throws ERR_TSRUN_STORE when it is lost or damaged. */
  document(digest: Digest): string {
    const text = this.#blobs.readVerifiedText(digest);
    if (text === undefined) throw this.#lost(digest);
    return text;
  }

  /** A blob as it is, with its size. Throws ERR_TSRUN_STORE when it is lost, or, while iterated, damaged. */
  blob(digest: Digest): { size: number; bytes: AsyncIterable<Uint8Array> } {
    const size = this.#blobs.size(digest);
    if (size === undefined) throw this.#lost(digest);
    return { size, bytes: this.#whole(digest, verified(this.#blobs.read(digest), digest, 'digest')) };
  }

  /**
   * A layer's archive, uncompressed, whose digest is its DiffID. Its size is known of a layer that was unpacked, or measured. Throws as
   * blob() does.
   */
  async archive(layer: LayerLink): Promise<{ size: number; bytes: AsyncIterable<Uint8Array> }> {
    if (!this.#blobs.has(layer.blobDigest)) throw this.#lost(layer.blobDigest);
    let size = this.#layers.has(layer.chainId) ? this.#layers.record(layer.chainId).size : undefined;
    if (size === undefined) {
      size = 0;
      const bytes = this.#whole(layer.blobDigest, this.#uncompressed(layer));
      for await (const chunk of bytes) size += chunk.length;
    }
    return {
      size,
      bytes: this.#whole(layer.blobDigest, verified(this.#uncompressed(layer), layer.diffId, 'DiffID')),
    };
  }

  async *#whole(digest: Digest, bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      yield* bytes;
    } catch (error) {
      throw this.#lost(digest, error);
    }
  }

  async *#uncompressed({ blobDigest }: LayerLink): AsyncGenerator<Uint8Array> {
    let head: Uint8Array = new Uint8Array();
    for await (const chunk of this.#blobs.read(blobDigest)) {
      head = chunk as Buffer;
      break;
    }
    yield* decompress(this.#blobs.read(blobDigest), sniffCompression(head), new SizeMeter(NO_SIZE_LIMITS));
  }

  /** @param damage how it turned out to be damaged */
  #lost(digest: Digest, damage?: unknown): Error {
    const { reference } = this.record;
    const doing = `read ${digest} of image ${reference}`;
    const hint = fetchAgain(reference, damage === undefined ? 'lost' : 'damaged');
    return tsrunError('ERR_TSRUN_STORE', { doing, hint }, damage ?? 'it is lost or damaged');
  }
}

/** `bytes`, and ERR_TSRUN_MISMATCH after the last of them unless they are those of `expected`. */
export async function* verified(
  bytes: AsyncIterable<Uint8Array>,
  expected: Digest,
  property: 'digest' | 'DiffID',
): AsyncGenerator<Uint8Array> {
  const hash = new Digester(digestAlgorithm(expected));
  for await (const chunk of bytes) {
    hash.update(chunk);
    yield chunk;
  }
  const got = hash.digest();
  if (got !== expected)
    throw tsrunError('ERR_TSRUN_MISMATCH', {
      what: `blob ${expected} of the store`,
      property,
      expected,
      got,
    });
}

/** The descriptor of a manifest of the store. */
export const manifestDescriptor = (text: string, digest: Digest, mediaType: string): Descriptor => ({
  mediaType,
  digest,
  size: Buffer.byteLength(text),
});
