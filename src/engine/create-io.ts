import type { PullListener } from '../image/pull/events.ts';

/** Who hears of a pull that a container's image needs, and what ends it. */
export interface CreateIo {
  onEvent?: PullListener | undefined;
  signal?: AbortSignal | undefined;
}
