/** What goes between the starter of a copier and the copier: the job in argv, an archive on stdin, one line of JSON on fd 3. */
import type { ByteString } from '../unpack/tar-entry.ts';
import type { WorkerError } from '../unpack/worker-protocol.ts';

/** Ids of an archive → ids of the copier's namespace; see IdMap of src/rootless. */
export type CopyIds = readonly { containerID: number; hostID: number; size: number }[];

interface Place {
  /** Becomes the copier's root, so that no link leads out of it. `.` is where the copier was started. */
  root: string;
  /** Resolved by the kernel inside the root. */
  path: ByteString;
}

/** What is at a place? */
export interface StatJob extends Place {
  kind: 'stat';
  /** What a link leads to, not the link. */
  follow: boolean;
}

export interface ExtractJob extends Place {
  kind: 'extract';
  /**
   * What the archive is: a single file or a directory, whose first entry is called `name`; what is in a directory; or anybody's, whose
   * names count from `path` on, which must be a directory.
   */
  what: 'file' | 'directory' | 'contents' | 'archive';
  name: ByteString;
  /** To whom everything is to belong; undefined: to whom the archive says. Numbers of the container. */
  owner: { uid: number; gid: number } | undefined;
  /** Undefined: the same ids. */
  ids: { uids: CopyIds; gids: CopyIds } | undefined;
  /** Only one id is mapped: record owners instead of setting them. */
  singleUid: boolean;
  /** A directory may take the place of a file, and a file that of an empty directory. */
  overwrite: boolean;
}

/** Which of some paths are there, and what is in some directories: a {@link PresentQuestion} in JSON on stdin. */
export interface PresentJob {
  kind: 'present';
  root: string;
}

export interface PresentQuestion {
  paths: ByteString[];
  lists: ByteString[];
}

export type CopyJob = StatJob | PresentJob | ExtractJob;

export interface CopyResult {
  /** `stat`: what is there. */
  found?: 'file' | 'directory' | 'absent';
  /** `present`: of each path, and the names in each directory */
  there?: boolean[];
  listed?: ByteString[][];
  /** `extract` */
  entries?: number;
  skippedDevices?: number;
}

export type CopyAnswer = { ok: true; result: CopyResult } | { ok: false; error: WorkerError };
