/** Progress of a pull on stderr. Nothing is set up before the first event: most commands find the image in the store. */
import { createProgress } from '../image/progress/create-progress.ts';
import { eventLine, type StatusWords } from '../image/progress/format.ts';
import type { Progress, ProgressMode } from '../image/progress/progress.ts';
import type { PullListener } from '../image/pull/events.ts';
import { say } from './output.ts';

export interface PullProgress extends Disposable {
  readonly listen: PullListener;
  /** Shows the last state and leaves it, before something else is printed. */
  settle(): void;
}

/** @param words LOCAL_STATUS_WORDS when an archive or a container of this machine becomes an image, and nothing is pulled */
export function pullProgress(mode: ProgressMode, words?: StatusWords): PullProgress {
  let progress: Progress | undefined;
  const start = (): Progress => {
    // Some displays need not know.
    const stream = {
      write: say,
      get isTTY() {
        return process.stderr.isTTY;
      },
      get columns() {
        return process.stderr.columns;
      },
      get rows() {
        return process.stderr.rows;
      },
    };
    return createProgress(mode, stream, words);
  };
  const settle = (): void => {
    progress?.end();
    progress = undefined;
  };
  return {
    listen(event) {
      // What nearly every start says. It is a line in all displays, and to ask process.stderr what it is would take longer than all the
      // rest of finding the image.
      if (!progress && event.type === 'resolved' && mode !== 'json') {
        if (mode !== 'quiet') say(`${eventLine(event)}\n`);
        return;
      }
      progress ??= start();
      progress.listen(event);
    },
    settle,
    [Symbol.dispose]: settle,
  };
}
