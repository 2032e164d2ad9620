/** Where images come from: a registry, a layout in a directory. What they deliver is verified by whoever asks. */
import type { Descriptor, Digest } from '../../spec/image.ts';
import type { PartialBlob } from '../../store/partial-blob.ts';

/** An index or manifest. */
export interface SourceDocument {
  bytes: Uint8Array;
  contentType: string | undefined;
  /** The digest that the source says it has. */
  claimedDigest: Digest | undefined;
}

export interface FillOptions {
  signal: AbortSignal;
  onProgress: (received: number) => void;
  onRetry: (failure: Error, delayMs: number) => void;
}

export interface ImageSource {
  /** Fetches an index or manifest by digest; by the name that the source was made for when none is given. */
  document(digest: Digest | undefined): Promise<SourceDocument>;
  /** Resolves when it is known where documents are to be asked for: those that are wanted go out in the next turn. */
  reached?(): Promise<unknown>;
  /** Appends to `partial` what it lacks. */
  fill(descriptor: Descriptor, partial: PartialBlob, options: FillOptions): Promise<void>;
  /** How many blobs may be fetched at once. */
  readonly parallel: number;
}
