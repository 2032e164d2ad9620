/** `[limits]` of the user's configuration: what a layer may cost before it is refused as made to fill the disk (image/unpack/limits.ts). */
import type { UnpackLimits } from '../image/unpack/limits.ts';
import { bytesOf } from '../spec/size.ts';

/** Key of the file → the limit, and the least that makes sense of it. */
const LIMITS: Readonly<Record<string, readonly [limit: keyof UnpackLimits, least: number]>> = {
  entries: ['maxEntries', 1],
  ratio: ['maxRatio', 1],
  'path-length': ['maxPathLength', 16],
  depth: ['maxDepth', 1],
  'layer-size': ['maxBytes', 1024],
};

/** @param refuse makes the error for a problem with the table */
export function checkLimits(table: unknown, refuse: (problem: string) => Error): Partial<UnpackLimits> {
  if (typeof table !== 'object' || table === null || Array.isArray(table))
    throw refuse('a table is expected: [limits]');
  const limits: Partial<UnpackLimits> = {};
  for (const [key, value] of Object.entries(table)) {
    const [limit, least] = LIMITS[key] ?? [];
    if (limit === undefined || least === undefined)
      throw refuse(`"${key}" is not one of its keys (${Object.keys(LIMITS).join(', ')})`);
    const number = typeof value === 'string' && limit === 'maxBytes' ? bytesOf(value) : value;
    if (typeof number !== 'number' || !Number.isSafeInteger(number) || number < least)
      throw refuse(
        `${key}: a whole number from ${least} on is expected${limit === 'maxBytes' ? ', or "100g"' : ''}`,
      );
    limits[limit] = number;
  }
  return limits;
}
