/** Patterns for image names: `--filter reference=*httpd*`. */
import { usageError } from './usage.ts';

/** A shell pattern (`*`, `?`, `[a-z]`) as a regular expression; `*` does not cross a slash. */
function globSource(pattern: string): string {
  return pattern.replace(/\[[^\]]*\]|[\s\S]/g, (part) => {
    if (part === '*') return '[^/]*';
    if (part === '?') return '[^/]';
    if (part.length > 1) return part;
    return part.replace(/[\\^$.*+?()[\]{}|/]/, '\\$&');
  });
}

/**
 * Does a full reference (`docker.io/library/httpd:latest`) have the name that the pattern gives, in full or as users shorten it: from any
 * part of its path on, with or without its tag or digest? Throws ERR_TSRUN_USAGE for a pattern that is none.
 */
export function matchesReference(reference: string, pattern: string): boolean {
  try {
    return new RegExp(`^(?:.*/)?${globSource(pattern)}(?:[:@][^/]*)?$`).test(reference);
  } catch {
    throw usageError(`"${pattern}" is not a pattern for names`, '--filter reference=*httpd*');
  }
}
