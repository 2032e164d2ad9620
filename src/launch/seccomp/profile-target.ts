import type { Architecture } from '../../sys/syscall-numbers.ts';

/** What the conditions of a docker profile ask about. */
export interface ProfileTarget {
  readonly arch: Architecture;
  /** The container's bounding set, `CAP_…` names. */
  readonly capabilities: readonly string[];
  /** uname -r: `6.18.44-…` */
  readonly kernelRelease: string;
}
