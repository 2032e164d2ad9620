import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The version in package.json: beside dist/ when the bundle runs, two above this file when the sources do. */
export function version(): string {
  const here = typeof __dirname === 'string' ? __dirname : dirname(fileURLToPath(import.meta.url));
  for (const directory of [join(here, '..'), join(here, '..', '..')]) {
    try {
      const { name, version: found } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as {
        name?: string;
        version?: string;
      };
      if (name === 'tsrun' && found !== undefined) return found;
    } catch {
      // not here
    }
  }
  return 'unknown';
}
