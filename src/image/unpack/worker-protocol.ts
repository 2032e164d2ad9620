/**
 * What goes between the starter and the worker, which unpacks one layer after the other:
 *
 *     stdin   frame {job}  frame {bytes of the blob}…  frame {}    frame {job} …   end: no more layers
 *     fd 3                                  one line of JSON                 …
 *
 * A frame is its length (4 bytes, little-endian) and as many bytes; an empty one ends a blob. After a layer that could not be unpacked
 * the worker ends.
 */
import { ERRORS, type ErrorCode, TsrunError, tsrunError } from '../../errors.ts';
import type { DiffId } from '../../spec/image.ts';
import type { Compression } from '../../spec/media-types.ts';
import type { UnpackLimits } from './limits.ts';

/** Descriptor of the worker on which its answer goes. */
export const RESULT_FD = 3;

/** The length that goes before a frame. */
export function frameHeader(length: number): Buffer {
  const header = Buffer.allocUnsafe(FRAME_HEADER_SIZE);
  header.writeUInt32LE(length);
  return header;
}
export const FRAME_HEADER_SIZE = 4;

export interface UnpackJob {
  /** An empty directory. */
  diffDirectory: string;
  /** diff directories of the layers below, the topmost first */
  lowers: string[];
  compression: Compression;
  /** Only the user's own id is mapped: record owners instead of setting them. */
  singleUid: boolean;
  /** syncfs(2) before the answer: what it says is on the disk then. */
  sync: boolean;
  limits: UnpackLimits;
}

export interface UnpackCounts {
  diffId: DiffId;
  /** uncompressed bytes of the archive */
  size: number;
  entries: number;
  skippedDevices: number;
  squashedOwners: number;
  /** Extended attributes that an ordinary user may not set. */
  skippedXattrs: number;
}

export interface WorkerError {
  /** undefined: no error of the table, but a bug */
  code: ErrorCode | undefined;
  data: object;
  /** The system's own words. */
  cause: string | undefined;
}

export type WorkerAnswer = { ok: true; result: UnpackCounts } | { ok: false; error: WorkerError };

/** An error as data. */
export function describeError(error: unknown): WorkerError {
  if (error instanceof TsrunError) {
    const cause = error.cause instanceof Error ? error.cause.message : undefined;
    return { code: error.code, data: error.data, cause };
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { code: undefined, data: {}, cause: stack };
}

/** The error again, on the other side. */
export function reviveError(error: WorkerError): TsrunError {
  const cause = error.cause === undefined ? undefined : new Error(error.cause);
  if (error.code === undefined || !(error.code in ERRORS)) {
    return tsrunError('ERR_TSRUN_UNPACK_WORKER', { ending: 'by an error', output: error.cause ?? '' });
  }
  return tsrunError(error.code, error.data as never, cause);
}
