/** What happens during a pull or a push, for whoever shows it. */
import type { Digest } from '../../spec/image.ts';

export type LayerStatus =
  | 'waiting'
  | 'exists'
  | 'shared' // another process downloads it
  | 'downloading'
  | 'verifying'
  | 'downloaded'
  | 'extracting'
  | 'complete'
  | 'present' // at the registry that is pushed to
  | 'mounted' // from another repository of that registry
  | 'compressing' // for a push in another form
  | 'compressed'
  | 'pushing'
  | 'pushed';

export type PullEvent =
  /** A short name was resolved. */
  | { type: 'resolved'; written: string; reference: string }
  /** The registry is asked for the image. `from` is the repository, `tag` the tag or digest, `via` the mirror that is asked. */
  | { type: 'pulling'; from: string; tag: string; via?: string }
  /** `to` is the repository. */
  | { type: 'pushing'; to: string }
  /** `current` and `total` are bytes of the blob. */
  | { type: 'layer'; digest: Digest; status: LayerStatus; current?: number; total?: number }
  | { type: 'retry'; digest?: Digest; problem: string; delayMs: number }
  | { type: 'warning'; text: string }
  | { type: 'done'; reference: string; digest: Digest; imageId: Digest; isNew: boolean }
  /** `size` is that of the manifest, in bytes. */
  | { type: 'pushed'; reference: string; digest: Digest; size: number };

export type PullListener = (event: PullEvent) => void;
