import { accessSync, constants } from 'node:fs';

/** Where a program of the host is, as execvp(3) would find it; /usr/sbin and /sbin are looked in too. */
export function commandPath(name: string): string | undefined {
  const path = `${process.env.PATH ?? ''}:/usr/bin:/bin:/usr/sbin:/sbin`;
  for (const directory of path.split(':').filter(Boolean)) {
    const candidate = `${directory}/${name}`;
    try {
      accessSync(candidate, constants.X_OK);
      return candidate;
    } catch {
      // not here
    }
  }
  return undefined;
}
