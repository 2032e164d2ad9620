/** The question before what cannot be undone. */
import { readSync } from 'node:fs';
import { say } from './output.ts';

/** Asks on stderr and reads a line of stdin; only `y` or `yes` is a yes, and so an end of input is none. */
export function confirm(question: string): boolean {
  say(`${question} [y/N] `);
  const byte = Buffer.alloc(1);
  let answer = '';
  while (readSync(0, byte) === 1 && byte[0] !== 0x0a) answer += byte.toString('latin1');
  return /^\s*y(es)?\s*$/i.test(answer);
}
