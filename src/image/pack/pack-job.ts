/** What goes between the starter of a packer and the packer: the job in argv, the archive on stdout, one line of JSON on fd 3. */
import type { DiffId } from '../../spec/image.ts';
import type { ByteString } from '../unpack/tar-entry.ts';
import type { WorkerError } from '../unpack/worker-protocol.ts';

/** Descriptor of the packer on which its answer goes; the archive is on 1. */
export const RESULT_FD = 3;
export const ARCHIVE_FD = 1;

export interface PackJob {
  /** The directory that becomes the packer's root: no path and no link leads out of it. */
  root: string;
  /** What of it to pack, resolved by the kernel inside the root: a directory with all that is in it, or a single file. `/` is all. */
  path: string;
  /** Pack what a symbolic link at `path` leads to (inside the root) instead of the link. */
  follow: boolean;
  /**
   * Its name in the archive (`etc`, `.`, `a/b`). '' is for directories: only what is in it, under names that begin with no slash, as
   * `export` and layers have them.
   */
  as: ByteString;
  /** The root is the changes directory of such a driver: its marks become whiteouts (image-spec layer.md). */
  changesOf: 'overlay' | 'fuse-overlayfs' | undefined;
  /** Names in the archive that are left out, with all that is below them. */
  exclude: ByteString[];
  /** Compute the digest of the archive. */
  digest: boolean;
}

export interface PackResult {
  entries: number;
  /** Bytes of the archive. */
  size: number;
  /** Of the archive, when the job asked for it. */
  digest: DiffId | undefined;
  /** Files that were removed, replaced or cut short while they were read. */
  changed: number;
  /** Names of what an archive cannot hold (sockets; files called `.wh.…` in a layer), the first of them. */
  skipped: string[];
  skippedCount: number;
}

export type PackAnswer = { ok: true; result: PackResult } | { ok: false; error: WorkerError };
