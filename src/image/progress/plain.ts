/** One line for each change of a layer's state: for logs and pipes. */
import { shortDigest } from '../../spec/digest.ts';
import type { Digest } from '../../spec/image.ts';
import type { LayerStatus } from '../pull/events.ts';
import { eventLine, STATUS_WORDS, type StatusWords } from './format.ts';
import type { Progress } from './progress.ts';

/** Steps on the way that tell a reader of a log nothing. */
const PASSED_OVER: readonly LayerStatus[] = [
  'downloading',
  'verifying',
  'extracting',
  'compressing',
  'pushing',
];

export function plainProgress(write: (text: string) => void, words: StatusWords = STATUS_WORDS): Progress {
  const shown = new Map<Digest, LayerStatus>();
  return {
    listen(event) {
      const line = eventLine(event);
      if (line !== undefined) write(`${line}\n`);
      if (event.type !== 'layer' || PASSED_OVER.includes(event.status)) return;
      if (shown.get(event.digest) === event.status) return;
      shown.set(event.digest, event.status);
      write(`${shortDigest(event.digest)}: ${words[event.status]}\n`);
    },
    end() {},
  };
}
