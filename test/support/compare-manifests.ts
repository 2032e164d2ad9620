import { join } from 'node:path';
import type { ManifestLine } from './manifest.ts';
import { shellInside } from './unpack-inside.ts';

/** Prints the manifest of the directory that is its argument. */
export const MANIFEST = join(import.meta.dirname, 'manifest.ts');

export const lines = (output: string): ManifestLine[] =>
  output
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as ManifestLine);

export const manifestInside = async (root: string): Promise<ManifestLine[]> =>
  lines(await shellInside(`${process.execPath} ${MANIFEST} ${root}`));

/** `path: field ours theirs`, one line each: what vitest shows of thousands of files is of no use. */
export function differences(
  left: readonly Partial<ManifestLine>[],
  right: readonly Partial<ManifestLine>[],
): string[] {
  const byPath = (list: readonly Partial<ManifestLine>[]) => new Map(list.map((line) => [line.path, line]));
  const [a, b] = [byPath(left), byPath(right)];
  return [...new Set([...a.keys(), ...b.keys()])].flatMap((path) => {
    const [ours, theirs] = [a.get(path), b.get(path)];
    if (!ours || !theirs) return [`${path}: only in ${ours ? 'ours' : 'theirs'}`];
    const fields = Object.keys({ ...ours, ...theirs }) as (keyof ManifestLine)[];
    return fields
      .filter((field) => JSON.stringify(ours[field]) !== JSON.stringify(theirs[field]))
      .map((field) => `${path}: ${field} ${JSON.stringify(ours[field])} ${JSON.stringify(theirs[field])}`);
  });
}
