import { basename, resolve } from 'node:path';
import { tagNames } from '../../engine/log-spec.ts';
import type { LogRequest } from '../../engine/request.ts';
import { parseSize } from './size.ts';
import { usageError } from './usage.ts';

const MOST_FILES = 1000;
/** Bytes; the supervisor's NAME_SIZE leaves room for the number behind it. */
const LONGEST_NAME = 63;
const LONGEST_TAG = 512;

/** `max-size=10m`, `max-file=3`, `path=FILE` or `tag=TEMPLATE`. Throws ERR_TSRUN_USAGE. */
export function parseLogOption(text: string): Omit<LogRequest, 'driver'> {
  const equals = text.indexOf('=');
  const key = text.slice(0, Math.max(equals, 0));
  const value = text.slice(equals + 1);
  if (key === 'max-size') return { maxBytes: value === '-1' ? 0 : sizeOf(value, text) };
  if (key === 'max-file' && /^\d{1,4}$/.test(value) && Number(value) >= 1 && Number(value) <= MOST_FILES)
    return { files: Number(value) };
  if (key === 'path') return { path: pathOf(value, text) };
  if (key === 'tag') return { tag: tagOf(value, text) };
  throw usageError(
    `--log-opt ${text}: not max-size=SIZE, max-file=N from 1 to ${MOST_FILES}, path=FILE or tag=TEMPLATE`,
    '--log-opt max-size=10m --log-opt max-file=3',
  );
}

function sizeOf(value: string, text: string): number {
  const bytes = parseSize(value, '--log-opt max-size');
  if (bytes > 0) return bytes;
  throw usageError(`--log-opt ${text}: a log needs some room`, '--log-opt max-size=10m');
}

function pathOf(value: string, text: string): string {
  const path = resolve(value);
  if (value === '' || value.endsWith('/') || value.includes('\0'))
    throw usageError(`--log-opt ${text}: not the name of a file`, '--log-opt path=web.log');
  if (Buffer.byteLength(basename(path)) > LONGEST_NAME)
    throw usageError(
      `--log-opt ${text}: a name of more than ${LONGEST_NAME} bytes`,
      '--log-opt path=web.log',
    );
  return path;
}

function tagOf(value: string, text: string): string {
  const unknown = [...value.matchAll(/\{\{(.*?)\}\}/g)]
    .map(([, inside = '']) => inside.trim())
    .find((word) => !tagNames().includes(word.slice(1)) || !word.startsWith('.'));
  if (unknown !== undefined) {
    throw usageError(
      `--log-opt ${text}: {{${unknown}}} is not one of ${tagNames()
        .map((name) => `{{.${name}}}`)
        .join(', ')}`,
      "--log-opt 'tag={{.Name}}'",
    );
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (value === '' || /[\0-\x1f]/.test(value) || Buffer.byteLength(value) > LONGEST_TAG)
    throw usageError(
      `--log-opt ${text}: a tag is one line of at most ${LONGEST_TAG} bytes`,
      '--log-opt tag=web',
    );
  return value;
}
