/** `--entrypoint`: one word (`/bin/sh`), a JSON array (`["/bin/sh","-c"]`), or nothing (``). */
import { usageError } from './usage.ts';

/** [] = no entrypoint. Throws ERR_TSRUN_USAGE. */
export function parseEntrypoint(text: string): string[] {
  if (text === '') return [];
  if (!text.trimStart().startsWith('[')) return [text];
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return [text]; // `[` is a command
  }
  if (Array.isArray(value) && value.every((word) => typeof word === 'string')) return value;
  throw usageError(`--entrypoint ${text}: not a list of strings`, `--entrypoint '["/bin/sh","-c"]'`);
}
