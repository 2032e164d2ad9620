/** blobs/<algorithm>/<hex>: a name that exists is complete and verified. */
import { createReadStream, existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { tsrunError } from '../errors.ts';
import { DIGEST_ALGORITHMS, digestAlgorithm } from '../spec/digest.ts';
import type { Digest } from '../spec/image.ts';
import { writeFileAtomic } from './atomic-write.ts';
import { GrowingFile } from './growing-file.ts';
import { digestOf } from './hash.ts';
import { namesIn } from './names-in.ts';
import { type BlobSize, type OpenPartialOptions, PartialBlob } from './partial-blob.ts';
import { blobPath, blobsDirectory, type StorePaths } from './paths.ts';

const READ_BYTES = 256 * 1024;

/** All files of blobs and partial blobs. */
export const blobFiles = (paths: StorePaths): { name: string; path: string }[] =>
  DIGEST_ALGORITHMS.map((algorithm) => blobsDirectory(paths, algorithm)).flatMap((directory) =>
    namesIn(directory).map((name) => ({ name, path: `${directory}/${name}` })),
  );

export class BlobStore {
  readonly paths: StorePaths;
  constructor(paths: StorePaths) {
    this.paths = paths;
  }

  has(digest: Digest): boolean {
    return existsSync(blobPath(this.paths, digest));
  }

  /** bytes; undefined when the blob is not there */
  size(digest: Digest): number | undefined {
    return statSync(blobPath(this.paths, digest), { throwIfNoEntry: false })?.size;
  }

  /** The text of a small blob (a document). Throws the system's error. */
  readText(digest: Digest): string {
    return readFileSync(blobPath(this.paths, digest), 'utf8');
  }

  /** The text of a small blob after verifying it again; undefined when it is missing or damaged. */
  readVerifiedText(digest: Digest): string | undefined {
    if (!this.has(digest)) return undefined;
    const bytes = readFileSync(blobPath(this.paths, digest));
    return digestOf(bytes, digestAlgorithm(digest)) === digest ? bytes.toString('utf8') : undefined;
  }

  /** The bytes of a blob, in pieces; of a `part` of it, `end` is not. */
  read(digest: Digest, part?: { start: number; end: number }): Readable {
    const path = blobPath(this.paths, digest);
    if (part === undefined) return createReadStream(path, { highWaterMark: READ_BYTES });
    return createReadStream(path, { highWaterMark: READ_BYTES, start: part.start, end: part.end - 1 });
  }

  /** A complete blob as one that may be read while it grows. Throws the system's error. */
  file(digest: Digest): GrowingFile {
    const path = blobPath(this.paths, digest);
    return GrowingFile.whole(path, statSync(path).size);
  }

  /** Puts a small blob, verifying `digest`, also in the place of a damaged one. Throws ERR_TSRUN_MISMATCH; `what` names the blob. */
  put(bytes: Uint8Array, digest: Digest, what: string): void {
    const got = digestOf(bytes, digestAlgorithm(digest));
    if (got !== digest) {
      throw tsrunError('ERR_TSRUN_MISMATCH', { what, property: 'digest', expected: digest, got });
    }
    if (this.readVerifiedText(digest) === undefined)
      writeFileAtomic(this.paths, blobPath(this.paths, digest), bytes);
  }

  /** As put(), while other things are done: the disk is waited for in another thread. */
  async putApart(bytes: Uint8Array, digest: Digest, what: string): Promise<void> {
    if (this.readVerifiedText(digest) !== undefined) return;
    this.remove(digest);
    const partial = await this.openPartial({ digest, size: bytes.length }, { what });
    if (partial?.isResumed === false) {
      try {
        partial.append(bytes);
        return await partial.complete();
      } catch (error) {
        partial.close(error);
        throw error;
      }
    }
    partial?.discard(); // what a power cut has left may be anything
    this.put(bytes, digest, what);
  }

  /** Begins, or goes on with, a large blob; undefined when it is complete. */
  openPartial(descriptor: BlobSize, options: OpenPartialOptions): Promise<PartialBlob | undefined> {
    return PartialBlob.open(this.paths, descriptor, options);
  }

  /** Removes a blob that turned out to be damaged. */
  remove(digest: Digest): void {
    rmSync(blobPath(this.paths, digest), { force: true });
  }
}
