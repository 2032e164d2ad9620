/** What the pull needs of whoever unpacks a layer's archive. */
import type { Descriptor, DiffId } from '../spec/image.ts';
import type { GrowingFile } from '../store/growing-file.ts';

export interface UnpackTarget {
  /** An empty directory to fill. */
  diffDirectory: string;
  /** The diff directories of the layers below, top first. */
  lowers: string[];
  /** The layer's archive, compressed or not. */
  blob: GrowingFile;
  /** Called now and then with how many bytes of the blob have been unpacked. */
  onProgress?: ((bytes: number) => void) | undefined;
}

export interface UnpackResult {
  /** Digest of the uncompressed archive. */
  diffId: DiffId;
  /** uncompressed bytes */
  size: number;
  entries: number;
  /** device nodes left out, because an ordinary user may not make them */
  skippedDevices: number;
  /** entries whose owner is not in the user's range and was replaced */
  squashedOwners: number;
}

/** One layer being unpacked. Ends with finish() or abort(). */
export interface LayerUnpacking {
  /** Rejects when the blob will not be whole, or could not be unpacked. */
  finish(): Promise<UnpackResult>;
  /** Stops; what was unpacked stays for the caller to remove. */
  abort(): Promise<void>;
}

/** Unpacks one layer after the other. */
export interface LayerUnpacker {
  /** Layers may come: finds out whether they can be unpacked here, and loads what that takes. Await it before expect(). */
  prepare(): Promise<void> | void;
  /** The layers of an image will come soon, the lowest first: what takes time to start may start now. */
  expect(layers: readonly Pick<Descriptor, 'size'>[]): void;
  /** Call it when the layer before has ended. */
  open(target: UnpackTarget): LayerUnpacking;
  /** No more layers come; what was started for them ends. */
  close(): Promise<void>;
}
