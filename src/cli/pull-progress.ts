/** Progress of a pull on stderr. Nothing is set up before the first event: most commands find the image in the store. */
import { createProgress } from '../image/progress/create-progress.ts';
import type { Progress, ProgressMode } from '../image/progress/progress.ts';
import type { PullListener } from '../image/pull/events.ts';
import { say } from './output.ts';

export interface PullProgress extends Disposable {
  readonly listen: PullListener;
}

export function pullProgress(mode: ProgressMode): PullProgress {
  let progress: Progress | undefined;
  const start = (): Progress => {
    const { isTTY, columns, rows } = process.stderr;
    return createProgress(mode, { write: say, isTTY, columns, rows });
  };
  return {
    listen(event) {
      progress ??= start();
      progress.listen(event);
    },
    [Symbol.dispose]: () => progress?.end(),
  };
}
