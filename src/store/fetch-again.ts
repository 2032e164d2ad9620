import { isDangling } from './image-record.ts';

/**
 * The line that brings back what the store has lost of an image; undefined for an image that no registry has. A pull fetches what is not
 * there, and documents that are damaged; layers are too large to be looked at by each pull, so a damaged one has to go first.
 */
export function fetchAgain(reference: string, state: 'lost' | 'damaged'): string | undefined {
  if (isDangling({ reference }) || reference.startsWith('localhost/')) return undefined;
  const pull = `tsrun pull ${reference}`;
  return state === 'lost' ? pull : `tsrun system check --repair && ${pull}`;
}
