/** `-e` and `--env-file`: entries NAME=VALUE of the container's environment. */
import { readFileSync } from 'node:fs';
import { usageError } from './usage.ts';

/** The environment of tsrun itself. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * One `-e`: `NAME=VALUE` as it is; `NAME` with the value it has here, or nothing if it has none; `PREFIX*` all of that beginning
 * (as in podman). Throws ERR_TSRUN_USAGE.
 */
export function environmentEntries(written: string, own: Environment, where = '-e'): string[] {
  const equals = written.indexOf('=');
  const name = equals === -1 ? written : written.slice(0, equals);
  if (name === '') throw usageError(`${where} "${written}": a variable needs a name`, '-e NAME=VALUE');
  if (written.includes('\0')) throw usageError(`${where} "${name}": a NUL byte cannot be in the environment`);
  if (equals !== -1) return [written];
  const names = name.endsWith('*')
    ? Object.keys(own).filter((other) => other.startsWith(name.slice(0, -1)))
    : [name];
  return names.flatMap((found) => (own[found] === undefined ? [] : [`${found}=${own[found]}`]));
}

/**
 * The entries of an env file, as docker reads it: a line each; `#` at the beginning of a line makes a comment; nothing is quoted,
 * everything after `=` is the value. Throws ERR_TSRUN_USAGE.
 */
export function readEnvironmentFile(path: string, own: Environment): string[] {
  const lines = readText(path, '--env-file')
    .replace(/^\u{feff}/u, '')
    .split(/\r?\n/);
  return lines.flatMap((line, index) => {
    const entry = line.trimStart();
    if (entry === '' || entry.startsWith('#')) return [];
    const where = `${path}, line ${index + 1}:`;
    if (/\s/.test(entry.split('=', 1)[0] ?? '')) {
      throw usageError(`${where} the name of a variable cannot hold a space`);
    }
    return environmentEntries(entry, own, where);
  });
}

/** The text of a file that an option names. Throws ERR_TSRUN_USAGE. */
export function readText(path: string, option: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(readFileSync(path));
  } catch (error) {
    throw usageError(`${option} ${path}: ${(error as Error).message}`);
  }
}
