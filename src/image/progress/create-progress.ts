/** How a pull is shown: a terminal's moving lines, plain lines, JSON for tools, or not at all. */
import { eventLine, STATUS_WORDS, type StatusWords } from './format.ts';
import { jsonProgress } from './json.ts';
import { plainProgress } from './plain.ts';
import type { Progress, ProgressMode, ProgressStream } from './progress.ts';
import { terminalProgress } from './terminal.ts';

/** Warnings are shown even by the quiet ones. */
function quietProgress(write: (text: string) => void): Progress {
  return {
    listen(event) {
      if (event.type === 'warning') write(`${eventLine(event)}\n`);
    },
    end() {},
  };
}

export function createProgress(
  mode: ProgressMode,
  stream: ProgressStream,
  words: StatusWords = STATUS_WORDS,
): Progress {
  const write = (text: string): void => void stream.write(text);
  const isMoving =
    mode === 'tty' || (mode === 'auto' && stream.isTTY === true && process.env.TERM !== 'dumb');
  if (isMoving) {
    // A terminal that nobody has told its size, as a serial line's or that of script(1) without one, says 0 and 0.
    const terminal = { write, columns: () => stream.columns || 80, rows: () => stream.rows || 24 };
    return terminalProgress(terminal, words);
  }
  if (mode === 'json') return jsonProgress(write);
  return mode === 'quiet' ? quietProgress(write) : plainProgress(write, words);
}
