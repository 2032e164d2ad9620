/**
 * V8's flags at run time, and Node's modules loaded with the flags that they want.
 *
 * Node carries a code cache of its own modules, which V8 takes with its default flags only; the launcher (src/cli/tsrun.sh) sets others.
 * Without it, node:net takes 13 ms instead of 3 to load, node:crypto 13 instead of 5. Which flags count is asked each time that a module
 * is loaded. So for that moment they are the defaults: the launcher's say what happens at the start, before any of this, and when
 * something is compiled.
 */
import { setV8Flags } from './library.ts';

/** Flag of the launcher → V8's default. With another default of a later Node loading is slow, and nothing else. */
export const V8_DEFAULTS: Readonly<Record<string, string>> = {
  '--no-rehash-snapshot': '--rehash-snapshot',
  '--baseline-batch-compilation-threshold=65536': '--baseline-batch-compilation-threshold=4096',
  '--invocation-count-for-maglev=4000': '--invocation-count-for-maglev=400',
};

/** What the launcher sets for a short command, for a process that was started with V8's defaults: from now on. */
export function compileLater(): void {
  setV8Flags(['--baseline-batch-compilation-threshold=65536', '--invocation-count-for-maglev=4000']);
}

/** Loads modules of Node that will be used, by their names without `node:`. */
export function loadFromNodesCache(names: readonly string[]): void {
  const ours = process.execArgv.filter((word) => Object.hasOwn(V8_DEFAULTS, word));
  if (ours.length === 0) return; // another launcher: the first use loads them
  if (!setV8Flags(ours.map((word) => V8_DEFAULTS[word] ?? ''))) return; // a Node that does not export it: the same
  try {
    for (const name of names) process.getBuiltinModule(`node:${name}`);
  } finally {
    setV8Flags(ours);
  }
}
