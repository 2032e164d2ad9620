/**
 * What commands print. Written with write(2) itself: making process.stdout costs several milliseconds, and what it has not yet written
 * to a pipe is lost in process.exit().
 */
import { writeSync } from 'node:fs';

/** 128 + SIGPIPE: what a shell reports of a command whose reader went away. */
export const BROKEN_PIPE_STATUS = 141;

/** Writes all of it, waiting where somebody has made the descriptor non-blocking. */
function writeAll(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
    }
  }
}

const bytesOf = (text: string | Uint8Array): Uint8Array =>
  typeof text === 'string' ? Buffer.from(text) : text;

/** A result, on stdout. `tsrun ps | head -1`: when nobody reads any more, the command ends without a word. */
export function print(text: string | Uint8Array): void {
  try {
    writeAll(1, bytesOf(text));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EPIPE') process.exit(BROKEN_PIPE_STATUS);
    say(`tsrun: cannot write to stdout: ${(error as Error).message}\n`);
    process.exit(125);
  }
}

/** A message, on stderr. */
export function say(text: string): void {
  sayBytes(bytesOf(text));
}

/** As {@link say}, for what is not text of ours. */
export function sayBytes(bytes: Uint8Array): void {
  try {
    writeAll(2, bytes);
  } catch {
    // stderr is closed: nobody is left to be told, and what was done stays done.
  }
}

/** Of the terminal on stdout, in characters; 100 where there is none. */
export async function terminalWidth(): Promise<number> {
  const { isatty, WriteStream } = await import('node:tty');
  return isatty(1) ? new WriteStream(1).columns : 100;
}
