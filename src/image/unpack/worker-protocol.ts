/**
 * What goes between the starter and the worker, which does one job after the other; for that of unpacking a layer the
 * worker reads the blob's file, and is told how many bytes of it have come:
 *
 *     stdin   frame {job}  frame {bytes that are there}…  frame {}    frame {job} …   end: the starter is gone
 *     fd 3                    {"unpacked": bytes}…     {"ok": …}            …
 *
 * A frame is its length (4 bytes, little-endian) and as many bytes; an empty one ends a blob. Answers are lines of JSON. After a layer
 * that could not be unpacked the worker ends.
 */
import { ERRORS } from '../../errors/table.ts';
import { type ErrorCode, TsrunError, tsrunError } from '../../errors.ts';
import type { DiffId } from '../../spec/image.ts';
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

/** Two trees are to be the same. */
export interface CompareJob {
  kind: 'compare';
  expected: string;
  found: string;
}

/** How much room the files in some directories take. */
export interface MeasureJob {
  kind: 'measure';
  directories: string[];
}

export type WorkerJob = UnpackJob | CompareJob | MeasureJob;

/** What the worker answers to each. */
export interface WorkerResults {
  unpack: UnpackCounts;
  /** In which paths the trees differ, and how; the first few. */
  compare: string[];
  /** Bytes of each directory; 0 for one that is not there. */
  measure: number[];
}

export interface UnpackJob {
  kind: 'unpack';
  /** An empty directory. */
  diffDirectory: string;
  /** diff directories of the layers below, the topmost first */
  lowers: string[];
  /** The blob's file, by one of these names. */
  blob: readonly string[];
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

export type WorkerAnswer<Kind extends keyof WorkerResults = keyof WorkerResults> =
  | { ok: true; result: WorkerResults[Kind] }
  | { ok: false; error: WorkerError };

/** How far it is: bytes of the blob. */
export interface WorkerProgress {
  unpacked: number;
}

/** The payload of a frame that says how many bytes of a blob are there. */
export function countFrame(bytes: number): Buffer {
  const payload = Buffer.allocUnsafe(8);
  payload.writeDoubleLE(bytes);
  return payload;
}

export const countOfFrame = (payload: Buffer): number => payload.readDoubleLE();

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
