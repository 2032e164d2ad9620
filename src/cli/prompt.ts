/** Questions on the user's terminal. */
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { say } from './output.ts';
import { usageError } from './parse/usage.ts';

/** 128 + SIGINT */
const INTERRUPTED_STATUS = 130;

/**
 * Asks, and returns the answer without its line feed; a hidden one is not shown while it is typed. ^C ends tsrun.
 * Throws ERR_TSRUN_USAGE, with `remedy`, when stdin is no terminal.
 */
export async function ask(question: string, remedy: string, hidden = false): Promise<string> {
  if (!process.stdin.isTTY)
    throw usageError(`${question.replace(/[:\s]+$/, '')}? stdin is no terminal`, remedy);
  // readline shows what is typed by writing it to its output.
  const output = new Writable({
    write(chunk: Buffer, _encoding, done) {
      if (!hidden) say(chunk.toString());
      done();
    },
  });
  const lines = createInterface({ input: process.stdin, output, terminal: true });
  // Only now does the terminal not show what is typed by itself.
  if (hidden) say(question);
  lines.on('SIGINT', () => {
    lines.close();
    say('\n');
    process.exit(INTERRUPTED_STATUS);
  });
  try {
    return await lines.question(hidden ? '' : question);
  } finally {
    lines.close();
    if (hidden) say('\n');
  }
}
