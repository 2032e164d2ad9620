import { parseSize } from './size.ts';
import { usageError } from './usage.ts';

const MOST_FILES = 1000;

/** `max-size=10m` or `max-file=3`. Throws ERR_TSRUN_USAGE. */
export function parseLogOption(text: string): { maxBytes?: number; files?: number } {
  const [key, value = ''] = text.split('=', 2);
  if (key === 'max-size') return { maxBytes: value === '-1' ? 0 : sizeOf(value, text) };
  if (key === 'max-file' && /^\d{1,4}$/.test(value) && Number(value) >= 1 && Number(value) <= MOST_FILES)
    return { files: Number(value) };
  throw usageError(
    `--log-opt ${text}: not max-size=SIZE, or max-file=N from 1 to ${MOST_FILES}`,
    '--log-opt max-size=10m --log-opt max-file=3',
  );
}

function sizeOf(value: string, text: string): number {
  const bytes = parseSize(value, '--log-opt max-size');
  if (bytes > 0) return bytes;
  throw usageError(`--log-opt ${text}: a log needs some room`, '--log-opt max-size=10m');
}
