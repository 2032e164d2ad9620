/** What the pull needs of whoever unpacks a layer's archive. */
import type { Writable } from 'node:stream';
import type { DiffId } from '../spec/image.ts';
import type { Compression } from '../spec/media-types.ts';

export interface UnpackTarget {
  /** An empty directory to fill. */
  diffDirectory: string;
  /** The diff directories of the layers below, top first. */
  lowers: string[];
  compression: Compression;
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
  /** The compressed bytes. Back-pressure holds the caller up; an error of the unpacker destroys the stream with it. */
  input: Writable;
  /** Call it after input.end(). Rejects when the archive is not whole or could not be unpacked. */
  finish(): Promise<UnpackResult>;
  /** Stops; what was unpacked stays for the caller to remove. */
  abort(): Promise<void>;
}

/** Unpacks one layer after the other. */
export interface LayerUnpacker {
  /** A layer will come soon: what takes time to start may start now. Await it before open(). */
  prepare(): Promise<void> | void;
  /** Call it when the layer before has ended. */
  open(target: UnpackTarget): LayerUnpacking;
  /** No more layers come; what was started for them ends. */
  close(): Promise<void>;
}
