/** `--label KEY=VALUE`, `--label KEY`, `--label-file`. */
import { readText } from './environment.ts';
import { usageError } from './usage.ts';

/** Throws ERR_TSRUN_USAGE. */
export function parseLabel(written: string): [key: string, value: string] {
  const equals = written.indexOf('=');
  const key = equals === -1 ? written : written.slice(0, equals);
  if (key === '') throw usageError(`--label "${written}": a label needs a name`, '--label KEY=VALUE');
  return [key, equals === -1 ? '' : written.slice(equals + 1)];
}

/** A label on each line; lines beginning with # are comments. Throws ERR_TSRUN_USAGE. */
export function readLabelFile(path: string): [key: string, value: string][] {
  return readText(path, '--label-file')
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map(parseLabel);
}
