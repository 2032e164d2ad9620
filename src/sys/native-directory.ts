import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

let found: string | undefined;

/**
 * The directory of the native parts built for this architecture: `dist/native/<arch>`, beside the bundle that runs or, in tests that
 * run the sources, below the project.
 */
export function nativeDirectory(): string {
  if (found) return found;
  const here = typeof __dirname === 'string' ? __dirname : dirname(fileURLToPath(import.meta.url));
  const candidates = [`${here}/native/${process.arch}`, `${here}/../../dist/native/${process.arch}`];
  found = candidates.find((directory) => existsSync(directory)) ?? candidates[0] ?? '';
  return found;
}
