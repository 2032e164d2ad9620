/** What `tsrun system check` finds. */
export interface Damage {
  /** `blob sha256:…`, `container 1f2e3d4c5b6a` */
  object: string;
  /** A clause about it: "its content is not that of its name". */
  problem: string;
  /** What was done about it; undefined: nothing. */
  repaired: string | undefined;
  /** What the user can do; a line to paste. */
  hint: string | undefined;
}

export interface CheckOptions {
  /** Does what can be done without losing anything that is whole. */
  repair: boolean;
  /** Leaves out what reads all files: digests of large blobs, and the files of layers. */
  quick: boolean;
}

/** Collects what is found. */
export class Findings {
  readonly damages: Damage[] = [];
  readonly repair: boolean;
  /** Kind → how many were looked at. */
  readonly looked: Record<string, number> = {};

  constructor(options: CheckOptions) {
    this.repair = options.repair;
  }

  count(kind: string): void {
    this.looked[kind] = (this.looked[kind] ?? 0) + 1;
  }

  /** Tells of damage that nothing can be done about here. */
  tell(object: string, problem: string, hint?: string): Damage {
    const damage = { object, problem, repaired: undefined, hint };
    this.damages.push(damage);
    return damage;
  }

  /** Tells of damage, and repairs it when that was asked for. What `repair` throws becomes part of the problem. */
  async fix(
    found: { object: string; problem: string; hint?: string | undefined },
    says: string,
    repair: () => void | Promise<void>,
  ): Promise<void> {
    const { object, problem, hint } = found;
    if (!this.repair) {
      this.tell(object, problem, hint ?? 'tsrun system check --repair');
      return;
    }
    try {
      await repair();
      this.damages.push({ object, problem, repaired: says, hint });
    } catch (error) {
      this.tell(object, `${problem}; it could not be repaired: ${(error as Error).message}`, hint);
    }
  }
}

/** The names in a directory; none when it is not there. What cannot be read is told of. */
export function namesIn(findings: Findings, directory: string, read: (path: string) => string[]): string[] {
  try {
    return read(directory).sort();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT') findings.tell(directory, message, `chmod u+rwx ${directory}`);
    return [];
  }
}
