import { realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The command `tsrun`, a script beside the loader that runs; its real path, as AppArmor and systemd want it. */
export function launcher(): string {
  const path = join(dirname(process.argv[1] ?? ''), 'tsrun');
  try {
    return realpathSync(path);
  } catch {
    return path; // run from the sources, where there is none
  }
}
