import { readFileSync } from 'node:fs';

/**
 * The flags that the launcher (src/cli/tsrun.sh, at `file`) gives to the Node that comes with tsrun: a code cache is good only for those with
 * which it was made.
 */
export function launcherFlags(file: string): string[] {
  const flags = /^\tset -- (--[^"]*) "\$@"$/m.exec(readFileSync(file, 'utf8'))?.[1];
  if (flags === undefined) throw new Error(`${file} gives no flags to Node as the build expects`);
  return flags.split(/[\s\\]+/);
}
