/** What a probe says about one prerequisite. Findings are values: a probe never throws, and blames only what it has read. */

/** blocked: no container starts. degraded: containers start, but something is lost. */
export type FindingStatus = 'ok' | 'degraded' | 'blocked';

export interface Finding {
  /** Stable; also the anchor in docs/doctor.md. */
  readonly id: string;
  readonly title: string;
  readonly status: FindingStatus;
  /** One line: what was found. */
  readonly detail: string;
  /** What does not work because of it. */
  readonly lose?: string;
  /** Lines to paste. Absent where nothing is wrong, or where no line would help. */
  readonly remedy?: string;
  /** Must `remedy` be run by an administrator? Present with it. */
  readonly needsRoot?: boolean;
}

export interface Trouble {
  readonly detail: string;
  readonly lose?: string | undefined;
  /** Lines that begin with `sudo ` need root. */
  readonly remedy?: string | undefined;
}

/** A check's name, with makers of its findings. */
export interface Check {
  readonly id: string;
  readonly title: string;
  ok(detail: string): Finding;
  degraded(trouble: Trouble): Finding;
  blocked(trouble: Trouble): Finding;
}

export function check(id: string, title: string): Check {
  const trouble = (status: FindingStatus, { detail, lose, remedy }: Trouble): Finding => ({
    id,
    title,
    status,
    detail,
    ...(lose !== undefined && { lose }),
    ...(remedy !== undefined && { remedy, needsRoot: /(^|\n|\| )sudo /.test(remedy) }),
  });
  return {
    id,
    title,
    ok: (detail) => ({ id, title, status: 'ok', detail }),
    degraded: (what) => trouble('degraded', what),
    blocked: (what) => trouble('blocked', what),
  };
}
